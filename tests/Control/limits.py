#!/usr/bin/env python3
"""limits.py PORTAL NARROW WIDE SOCKET CONTROL...: two initiators against limits of commands.

NARROW is a target whose LUN 0 is unit "narrow", with queue_depth 4; WIDE one whose LUNs 0 and 1 have no limit of their
own, and which lets in 4 commands of all sessions together. SOCKET is the daemon's control socket, CONTROL the command
that speaks to it. The daemon's configuration is limits.yaml in the current folder. Prints PASS and FAIL lines.
"""
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
import libiscsi as iscsi  # noqa: E402

NAME = 'iqn.2026-11.io.scstd.test:limits-'
TEST_UNIT_READY, INQUIRY = bytes(6), bytes((0x12, 0, 0, 0, 64, 0))
SLOW_MS = 200
WANTED, AT_A_TIME = 20, 10

failures = 0


def judge(name, holds, detail=''):
    global failures
    if holds:
        print('PASS', name)
    else:
        failures += 1
        print('FAIL %s: %s' % (name, str(detail).partition('\n')[0]))
    sys.stdout.flush()


class Daemon:
    """The control socket itself, which answers faster than a program starts."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.lines = self.socket.makefile('r')
        self.lines.readline()

    def ask(self, **request):
        self.socket.sendall(json.dumps(request).encode() + b'\n')
        return json.loads(self.lines.readline())

    def unit_limit(self):
        return self.ask(command='units', unit='narrow')['units'][0].get('limit')

    def target_limit(self):
        return self.ask(command='status')['targetLimits'][0]['limit']

    def at_the_store(self, unit):
        return sum(one['state'] == 'Enabled' for one in self.ask(command='commands', unit=unit)['commands'])


class Watch(threading.Thread):
    """The most that was ever seen."""

    def __init__(self, path, look):
        super().__init__(daemon=True)
        self.daemon_socket, self.look = Daemon(path), look
        self.most, self.looks, self.is_over = 0, 0, False

    def run(self):
        while not self.is_over:
            self.most = max(self.most, self.look(self.daemon_socket))
            self.looks += 1
            time.sleep(0.005)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.is_over = True
        self.join()


class Host(iscsi.Initiator):
    """An initiator with so much to do, which repeats what is refused."""

    def __init__(self, letter, portal, target, luns=(0,)):
        super().__init__(NAME + letter, portal, target, isid=ord(letter))
        self.luns = luns
        for lun in luns:
            while self.command(TEST_UNIT_READY, lun=lun).status != iscsi.GOOD:
                pass
        self.open, self.done, self.refused, self.wrong = [], 0, [], []
        self.sent, self.not_before = 0, 0

    def read(self, number, lun=None):
        return self.send(struct.pack('>BBIBHB', 0x28, 0, number * 8, 0, 8, 0), read_bytes=4096, lun=lun)

    def write(self, number, lun=None):
        cdb = struct.pack('>BBIBHB', 0x2a, 0, number * 8, 0, 8, 0)
        return self.send(cdb, data_out=bytes([number]) * 4096, lun=lun)

    def step(self):
        """Looks at what has ended, sends what is to be sent."""
        while (self.done + len(self.open) < WANTED and len(self.open) < AT_A_TIME
               and time.monotonic() >= self.not_before):
            lun = self.luns[self.sent % len(self.luns)]
            self.open.append((self.write if self.sent % 3 else self.read)(self.sent % 200, lun))
            self.open[-1].lun, self.open[-1].beside = lun, [c for c in self.open[:-1] if c.lun == lun]
            self.sent += 1
        self.serve(0.005)
        for command in [c for c in self.open if c.answer]:
            self.open.remove(command)
            status = command.answer.status
            if status == iscsi.GOOD:
                self.done += 1
            elif status in (iscsi.BUSY, iscsi.TASK_SET_FULL):
                command.left = [one for one in command.beside if one.answer is None]
                self.refused.append(command)
                self.not_before = time.monotonic() + 0.005
            else:
                self.wrong.append(command.answer)

    def against_the_rule(self):
        """SAM-5 section 5.3.1, as far as an initiator can see: with nothing at the unit before it, a command is not
        told TASK SET FULL; with one there that had not ended when it was refused, and was done, it is not BUSY."""
        return [command.answer for command in self.refused
                if (command.answer.status == iscsi.TASK_SET_FULL and not command.beside)
                or (command.answer.status == iscsi.BUSY
                    and any(one.answer.status == iscsi.GOOD for one in command.left))]


class Limits:
    def __init__(self, portal, narrow, wide, path, control):
        self.portal, self.narrow, self.wide, self.path, self.control = portal, narrow, wide, path, control
        self.daemon = Daemon(path)

    def ctl(self, *words):
        done = subprocess.run(self.control + list(words), capture_output=True, text=True)
        if done.returncode != 0:
            raise iscsi.Failed('scstctl %s: %s' % (' '.join(words), done.stderr.strip()))
        return done.stdout

    def slow(self, unit):
        self.ctl('faults', 'add', unit, 'SlowStore', '--delay-ms', str(SLOW_MS))

    def until(self, condition, seconds=20):
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                return False
            time.sleep(0.01)
        return True

    def work(self, what, look, at_most, a, b):
        begin = time.monotonic()
        with Watch(self.path, look) as watch:
            while (a.open or a.done < WANTED or b.open or b.done < WANTED) and time.monotonic() < begin + 60:
                a.step()
                b.step()
        seconds = time.monotonic() - begin
        refused = a.refused + b.refused
        counts = '%d looks, at most %d in, %d and %d done in %.1f s, %d refused' % (
            watch.looks, watch.most, a.done, b.done, seconds, len(refused))
        print('#', what, counts)
        judge(what + ': never more inside than may be', 0 < watch.most <= at_most, counts)
        judge(what + ': the store was not faster than that allows',
              seconds >= (2 * WANTED / at_most - 1) * SLOW_MS / 1000, counts)
        judge(what + ': all that was refused was repeated and done',
              (a.done, b.done) == (WANTED, WANTED) and refused, counts)
        judge(what + ': refused by nothing but TASK SET FULL and BUSY', not a.wrong + b.wrong, a.wrong + b.wrong)
        against = a.against_the_rule() + b.against_the_rule()
        judge(what + ': TASK SET FULL and BUSY by the rule', not against, against)

    def of_the_rule(self):
        """On a frozen unit nothing ends by itself."""
        with Host('a', self.portal, self.narrow) as a, Host('b', self.portal, self.narrow) as b:
            self.ctl('freeze', 'narrow')
            held = [a.write(number) for number in range(4)]
            a.serve(0.05)
            judge('four commands are in', self.until(lambda: self.daemon.unit_limit()['inUse'] == 4),
                  self.daemon.unit_limit())
            answer = a.read(0).wait()
            judge('the fifth of who has four is told TASK SET FULL', answer.status == iscsi.TASK_SET_FULL, answer)
            answer = b.read(0).wait()
            judge('the first of who has none is told BUSY', answer.status == iscsi.BUSY, answer)
            answer = b.write(0).wait()
            judge('a write too', answer.status == iscsi.BUSY, answer)
            inquiry = b.send(INQUIRY, read_bytes=64)
            self.ctl('thaw', 'narrow')
            judge('an INQUIRY is not', inquiry.wait().status == iscsi.GOOD, inquiry.answer)
            judge('those that are in are done', all(c.wait().status == iscsi.GOOD for c in held))
            limit = self.daemon.unit_limit()
            judge('and counted', (limit['atMost'], limit['inUse']) == (4, 0) and limit['refused'] >= 3, limit)

    def of_a_unit(self):
        self.slow('narrow')
        with Host('a', self.portal, self.narrow) as a, Host('b', self.portal, self.narrow) as b:
            sessions = self.daemon.ask(command='sessions')['sessions']
            judge('the initiators are on two reactors', len({one['reactor'] for one in sessions}) == 2, sessions)
            self.work('a unit', lambda d: max(d.at_the_store('narrow'), d.unit_limit()['inUse']), 4, a, b)
        judge('scstctl tells it', '4' in self.ctl('units', 'narrow').splitlines()[1].split())

    def of_a_target(self):
        for unit in 'left', 'right':
            self.slow(unit)
        with Host('a', self.portal, self.wide, (0, 1)) as a, Host('b', self.portal, self.wide, (0, 1)) as b:
            self.work('a target', lambda d: max(d.at_the_store('left') + d.at_the_store('right'),
                                                d.target_limit()['inUse']), 4, a, b)
        judge('scstctl tells it too', 'AT MOST' in self.ctl('status'))

    def of_a_reload(self):
        def reload(name):
            shutil.copy(name, 'limits.yaml')
            return self.ctl('reload')

        def fill(host, number):
            commands = [host.write(one) for one in range(number)]
            host.serve(0.05)
            return commands

        with Host('a', self.portal, self.narrow) as a:
            self.ctl('faults', 'clear', 'narrow')
            self.ctl('freeze', 'narrow')
            first = fill(a, 4)
            judge('four are in before the reload', self.until(lambda: self.daemon.unit_limit()['inUse'] == 4))
            judge('and the fifth is refused', a.read(0).wait().status == iscsi.TASK_SET_FULL)
            judge('a reload raises the limit', 'device narrow: queue_depth changed' in reload('eight.yaml'))
            more = fill(a, 4)
            judge('and four more come in at once', self.until(lambda: self.daemon.unit_limit()['inUse'] == 8),
                  self.daemon.unit_limit())
            judge('and a ninth does not', a.read(0).wait().status == iscsi.TASK_SET_FULL)
            reload('four.yaml')
            judge('a smaller limit leaves in what is in', self.daemon.unit_limit() | {'refused': 0} ==
                  {'atMost': 4, 'inUse': 8, 'refused': 0}, self.daemon.unit_limit())
            judge('and lets nobody in', a.read(0).wait().status == iscsi.TASK_SET_FULL)
            reload('none.yaml')
            judge('without a limit there is none', self.daemon.unit_limit() is None)
            last = fill(a, 12)
            self.ctl('thaw', 'narrow')
            judge('all that came in is done', all(c.wait().status == iscsi.GOOD for c in first + more + last))
            judge('a limit of the target changes as well',
                  'limits changed' in reload('eight.yaml') and self.daemon.target_limit()['atMost'] == 8)


def main():
    portal, narrow, wide, path, *control = sys.argv[1:]
    limits = Limits(portal, narrow, wide, path, control)
    for scenario in limits.of_the_rule, limits.of_a_unit, limits.of_a_target, limits.of_a_reload:
        try:
            scenario()
        except (iscsi.Failed, KeyError) as failure:
            judge(scenario.__name__, False, failure)
    sys.exit(failures > 0)


if __name__ == '__main__':
    main()
