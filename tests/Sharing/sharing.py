#!/usr/bin/env python3
"""sharing.py [--again] PORTAL1 PORTAL2 TARGET CONTROL...: three initiators and who is told of what.

A and B come in through PORTAL1, C through PORTAL2, which is of another portal group: another target port. LUN 0 is a
disk that keeps what it has, LUN 1 one that can be ejected and grown. CONTROL is the command that speaks to the daemon
(scstctl with its socket). The daemon's configuration is sharing.yaml in the current folder, where others that it is
given lie beside it. Prints PASS and FAIL lines. --again: the daemon was started anew since; only what that tells.
"""
import json
import os
import shutil
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
import libiscsi as iscsi  # noqa: E402

NAME = 'iqn.2026-11.io.scstd.test:sharing-'
TEST_UNIT_READY = bytes(6)
REMOVABLE = 1

WRITE_EXCLUSIVE, EXCLUSIVE_ACCESS = 1, 3
WRITE_EXCLUSIVE_REGISTRANTS, EXCLUSIVE_ACCESS_REGISTRANTS = 5, 6
WRITE_EXCLUSIVE_ALL, EXCLUSIVE_ACCESS_ALL = 7, 8
(REGISTER, RESERVE, RELEASE, CLEAR, PREEMPT, PREEMPT_AND_ABORT, REGISTER_AND_IGNORE, REGISTER_AND_MOVE) = range(8)

failures = 0


def judge(name, holds, detail=''):
    global failures
    if holds:
        print('PASS', name)
    else:
        failures += 1
        print('FAIL %s: %s' % (name, str(detail).partition('\n')[0]))
    sys.stdout.flush()


class Host(iscsi.Initiator):
    """An initiator that knows a few commands by name."""

    def __init__(self, letter, portal, target):
        # The same ISID each time: the same initiator port comes back.
        super().__init__(NAME + letter, portal, target, isid=ord(letter))
        self.letter, self.portal, self.target = letter, portal, target

    def test_unit_ready(self, lun=None):
        return self.command(TEST_UNIT_READY, lun=lun)

    def read(self, lba=0, blocks=1, lun=None):
        cdb = struct.pack('>BBIBHB', 0x28, 0, lba, 0, blocks, 0)
        return self.command(cdb, read_bytes=512 * blocks, lun=lun)

    def write_cdb(self, lba, blocks):
        return struct.pack('>BBIBHB', 0x2a, 0, lba, 0, blocks, 0)

    def write(self, lba=0, blocks=1, byte=0x5a, lun=None):
        return self.command(self.write_cdb(lba, blocks), bytes([byte]) * 512 * blocks, lun=lun)

    def reserve(self):
        return self.command(bytes([0x16, 0, 0, 0, 0, 0]))

    def release(self):
        return self.command(bytes([0x17, 0, 0, 0, 0, 0]))

    def control_page(self):
        """The Control mode page's ten bytes."""
        return self.command(bytes([0x1a, 0x08, 0x0a, 0, 64, 0]), read_bytes=64).data[6:16]

    def set_control_page(self, values):
        return self.command(bytes([0x15, 0x10, 0, 0, 16, 0]), bytes(4) + bytes([0x0a, 10]) + values)

    def change_control(self, offset, mask, bits):
        page = bytearray(self.control_page())
        page[offset] = page[offset] & ~mask & 0xff | bits
        return self.set_control_page(bytes(page))

    def persist(self, action, key=0, service_key=0, kind=0, flags=0, more=b''):
        data = struct.pack('>QQIBBH', key, service_key, 0, flags, 0, 0) + more
        return self.command(struct.pack('>BBBBBIB', 0x5f, action, kind, 0, 0, len(data), 0), data)

    def persist_in(self, action, room=4096):
        return self.command(struct.pack('>BBBBBBBHB', 0x5e, action, 0, 0, 0, 0, 0, room, 0), read_bytes=room).data

    def keys(self):
        data = self.persist_in(0)
        _, length = struct.unpack_from('>II', data)
        return sorted(struct.unpack_from('>Q', data, 8 + at)[0] for at in range(0, length, 8))

    def generation(self):
        return struct.unpack_from('>I', self.persist_in(0))[0]

    def reservation(self):
        """(key, type) or None."""
        data = self.persist_in(1)
        if struct.unpack_from('>I', data, 4)[0] == 0:
            return None
        return struct.unpack_from('>Q', data, 8)[0], data[21] & 0x0f

    def capacity_blocks(self, lun=None):
        return struct.unpack_from('>I', self.command(bytes([0x25] + [0] * 9), read_bytes=8, lun=lun).data)[0] + 1

    def set_timestamp(self, milliseconds):
        return self.command(bytes([0xa4, 0x0f, 0, 0, 0, 0, 0, 0, 0, 12, 0, 0]),
                            bytes(4) + milliseconds.to_bytes(6, 'big') + bytes(2))

    def inquiry(self, lun=None):
        return self.command(bytes([0x12, 0, 0, 0, 96, 0]), read_bytes=96, lun=lun)

    def luns(self):
        data = self.command(struct.pack('>BBBBBBIBB', 0xa0, 0, 0, 0, 0, 0, 4096, 0, 0), read_bytes=4096).data
        return [data[at + 1] for at in range(8, 8 + struct.unpack_from('>I', data)[0], 8)]

    def attentions(self, lun=None):
        """All that is pending, taken away."""
        taken = []
        while True:
            answer = self.test_unit_ready(lun)
            if answer.sense is None or answer.sense[0] != iscsi.UNIT_ATTENTION or len(taken) > 32:
                return taken
            taken.append(answer.sense[1:])


class Sharing:
    def __init__(self, again, portal1, portal2, target, control):
        self.portals, self.target, self.control = (portal1, portal2), target, control
        self.again = again
        self.first_login()
        self.hosts = [self.a, self.b, self.c]

    def login(self, letter):
        return Host(letter, self.portals[letter == 'c'], self.target)

    def ctl(self, *words):
        done = subprocess.run([*self.control, *words], capture_output=True, text=True, timeout=60)
        judge('scstctl ' + ' '.join(words), done.returncode == 0, done.stdout + done.stderr)
        return done.stdout

    def quiet(self, lun=None):
        for host in self.hosts:
            host.attentions(lun)

    def event(self, name, act, a=(), b=(), c=(), lun=None):
        """What the act tells each of the three, exactly, in order, once."""
        self.quiet(lun)
        act()
        for host, expected in zip((self.a, self.b, self.c), (a, b, c)):
            seen = host.attentions(lun)
            judge('%s: %s is told %s' % (name, host.letter.upper(), words(expected)), seen == list(expected),
                  words(seen))

    # ---- Unit attentions ---------------------------------------------------------------------------------------

    def first_login(self):
        """Who was never here is told the general code, who was here before the daemon began anew of the power on."""
        self.a, self.b, self.c = (self.login(letter) for letter in 'abc')
        expected = (0x29, 0x01) if self.again else (0x29, 0x00)
        for host in (self.a, self.b, self.c):
            seen = host.attentions()
            judge('%s: %s is told %s' % ('power on' if self.again else 'first login', host.letter.upper(),
                                         words([expected])), seen == [expected], words(seen))

    def nexus_loss(self):
        def come_back():
            self.b.close()
            self.b = self.hosts[1] = self.login('b')
        self.event('nexus loss', come_back, b=[(0x29, 0x07)])

    def resets(self):
        every = [(0x29, 0x03)]
        self.event('LOGICAL UNIT RESET', lambda: self.a.manage(iscsi.LUN_RESET), every, every, every)
        every = [(0x29, 0x00)]
        self.event('TARGET WARM RESET', lambda: self.b.manage(iscsi.TARGET_WARM_RESET), every, every, every)

    def modes(self):
        told = [(0x2a, 0x01)]
        self.event('MODE SELECT', lambda: good(self.a.change_control(0, 0x04, 0x04)), (), told, told)
        self.event('MODE SELECT of what is', lambda: good(self.b.change_control(0, 0x04, 0x04)))
        self.event('MODE SELECT back', lambda: good(self.c.change_control(0, 0x04, 0)), told, told)

    def medium(self):
        def change():
            good(self.a.command(bytes([0x1b, 0, 0, 0, 0x02, 0]), lun=REMOVABLE))
            gone = self.b.read(lun=REMOVABLE)
            judge('an ejected medium is not present for B', gone.sense == (iscsi.NOT_READY, 0x3a, 0x00), gone)
            good(self.a.command(bytes([0x1b, 0, 0, 0, 0x03, 0]), lun=REMOVABLE))
        told = [(0x28, 0x00)]
        self.event('medium loaded', change, (), told, told, lun=REMOVABLE)

    def bypass(self):
        self.quiet()
        good(self.a.change_control(0, 0x04, 0x04))
        judge('INQUIRY and REPORT LUNS pass a unit attention', good(self.b.inquiry()) and self.b.luns() == [0, 1])
        sense = self.b.command(bytes([0x03, 0, 0, 0, 252, 0]), read_bytes=252).data
        judge('REQUEST SENSE gives it as data', sense[2:3] == b'\x06' and sense[12:14] == b'\x2a\x01', sense.hex())
        judge('and ends it', good(self.b.test_unit_ready()))
        good(self.a.change_control(0, 0x04, 0))

    def timestamp(self):
        told = [(0x2a, 0x10)]
        self.event('SET TIMESTAMP', lambda: good(self.a.set_timestamp(1_800_000_000_000)), (), told, told)

    # ---- What an administrator does ------------------------------------------------------------------------------

    def resize(self):
        every = [(0x2a, 0x09)]
        self.event('resize', lambda: self.ctl('resize', 'two', '96MiB'), every, every, every, lun=REMOVABLE)
        judge('READ CAPACITY tells the new size', self.c.capacity_blocks(REMOVABLE) == 96 * 2048,
              self.c.capacity_blocks(REMOVABLE))

    def freeze(self):
        self.quiet()
        self.ctl('freeze', 'one')
        held = [host.send(host.write_cdb(8, 1), b'f' * 512) for host in self.hosts]
        beside = self.b.write(lun=REMOVABLE)
        judge('the unit beside a frozen one serves', good(beside), beside)
        for host, command in zip(self.hosts, held):
            host.serve(0.1)
            judge('%s is held' % host.letter.upper(), command.answer is None, command.answer)
        judge('ABORT TASK is answered while it is frozen',
              self.a.manage(iscsi.ABORT_TASK, held[0]) == iscsi.FUNCTION_COMPLETE)
        self.ctl('thaw', 'one')
        judge('the others go on', all(good(command.wait()) for command in held[1:]))

    def reload(self):
        """Another map, on live sessions: only who sees something else is told."""
        def give(name):
            def act():
                shutil.copy(name, 'sharing.yaml')
                self.ctl('reload', '--force')   # unit "two" has grown since, and the file does not say so
            return act
        three = [0x3f, 0x0e]
        self.event('a LUN more for A alone', give('more-for-a.yaml'), [tuple(three)])
        judge('A sees it, the others do not', self.a.luns() == [0, 1, 2] and self.b.luns() == [0, 1])
        judge('and can use it', self.a.attentions(2) == [(0x29, 0x00)] and good(self.a.read(lun=2)))
        self.event('the same configuration again', give('more-for-a.yaml'))
        self.event('LUN 1 leads elsewhere for A alone', give('other-for-a.yaml'), [(0x29, 0x00), (0x3f, 0x03)],
                   lun=REMOVABLE)
        shutil.copy('wrong.yaml', 'sharing.yaml')
        done = subprocess.run([*self.control, 'reload'], capture_output=True, text=True, timeout=60)
        told = done.stdout + done.stderr
        judge('a wrong configuration is refused with its line', done.returncode == 1 and 'sharing.yaml:' in told, told)
        judge('and nothing of it is in force', self.b.luns() == [0, 1] and good(self.b.read()))
        self.quiet()
        self.quiet(REMOVABLE)
        give('first.yaml')()
        self.quiet()
        self.quiet(REMOVABLE)
        judge('all as before', [host.luns() for host in self.hosts] == [[0, 1]] * 3)

    def kick(self):
        answer = json.loads(self.ctl('sessions', '--json'))
        judge('the sessions of all three are told', all(NAME + letter in json.dumps(answer) for letter in 'abc'))
        self.ctl('kick', NAME + 'b')
        try:
            self.b.serve_until(lambda: False, 10)
            judge('a session that was kicked ends', False, 'it goes on')
        except iscsi.Failed as failure:
            judge('a session that was kicked ends', 'no answer' not in str(failure), failure)
        self.b.close()
        judge('the others notice nothing', good(self.a.test_unit_ready()) and good(self.c.test_unit_ready()))
        self.b = self.hosts[1] = self.login('b')
        self.quiet()

    # ---- Task sets -----------------------------------------------------------------------------------------------

    def aca(self):
        """NACA: what a faulted nexus' task set does until CLEAR ACA."""
        self.quiet()
        naca = 0x04
        beyond = struct.pack('>BBIBHB', 0x28, 0, 0xfffffff0, 0, 1, naca)
        judge('A faults with NACA', self.a.command(beyond, read_bytes=512).sense == (0x5, 0x21, 0x00))
        judge('A is told ACA ACTIVE', self.a.read().status == iscsi.ACA_ACTIVE)
        judge('B is told BUSY', self.b.read().status == iscsi.BUSY)
        judge('B with NACA is told ACA ACTIVE',
              self.b.command(bytes([0, 0, 0, 0, 0, naca])).status == iscsi.ACA_ACTIVE)
        judge('CLEAR ACA is complete', self.a.manage(iscsi.CLEAR_ACA) == iscsi.FUNCTION_COMPLETE)
        judge('both go on', good(self.a.read()) and good(self.b.read()))

    def slow_writes(self, then):
        """A's writes are in the hands of a slow store when something covers them: after the answer none lands."""
        good(self.b.write(64, 8, 0x11))
        self.ctl('faults', 'add', 'one', 'SlowStore', '--delay-ms', '300')
        writes = [self.a.send(self.a.write_cdb(64 + n, 1), bytes([0x22]) * 512) for n in range(8)]
        name = then(writes[0])
        self.ctl('faults', 'clear', 'one')
        self.b.attentions()
        first = self.b.read(64, 8).data
        time.sleep(1)
        judge('nothing lands after ' + name, first != b'' and self.b.read(64, 8).data == first)
        # What the library still waits for was aborted without an answer.
        self.a.close()
        self.a = self.hosts[0] = self.login('a')
        self.quiet()

    def abort_is_safe(self):
        self.quiet()
        for name, function in (('ABORT TASK SET', iscsi.ABORT_TASK_SET), ('CLEAR TASK SET', iscsi.CLEAR_TASK_SET),
                               ('LOGICAL UNIT RESET', iscsi.LUN_RESET)):
            def manage(write, name=name, function=function):
                answer = self.a.manage(function, write if function == iscsi.ABORT_TASK else None)
                judge(name + ' is complete', answer == iscsi.FUNCTION_COMPLETE, answer)
                return name
            self.slow_writes(manage)
        good(self.b.write(64, 1, 0x11))
        self.ctl('faults', 'add', 'one', 'SlowStore', '--delay-ms', '300')
        write = self.a.send(self.a.write_cdb(64, 1), bytes([0x22]) * 512)
        answer = self.a.manage(iscsi.ABORT_TASK, write)
        judge('ABORT TASK is complete', answer == iscsi.FUNCTION_COMPLETE, answer)
        self.ctl('faults', 'clear', 'one')

    def preempt_is_safe(self):
        self.quiet()
        judge('A and B register', good(self.a.persist(REGISTER, 0, 0xa)) and good(self.b.persist(REGISTER, 0, 0xb)))
        judge('A reserves', good(self.a.persist(RESERVE, 0xa, 0, WRITE_EXCLUSIVE_REGISTRANTS)))

        def fence(_write):
            answer = self.b.persist(PREEMPT_AND_ABORT, 0xb, 0xa, WRITE_EXCLUSIVE_REGISTRANTS)
            judge('PREEMPT AND ABORT is GOOD', good(answer), answer)
            return 'PREEMPT AND ABORT'
        self.slow_writes(fence)
        judge('A is out', conflict(self.a.write()) and self.b.keys() == [0xb])
        good(self.b.persist(CLEAR, 0xb))
        self.quiet()

    # ---- Reservations ------------------------------------------------------------------------------------------

    def reserve(self):
        self.quiet()
        judge('RESERVE is granted', good(self.a.reserve()))
        judge("the others' READ conflicts", all(conflict(h.read()) for h in (self.b, self.c)))
        judge('a RELEASE of who holds nothing is GOOD', good(self.b.release()))
        judge('and releases nothing', conflict(self.b.reserve()))
        judge('PERSISTENT RESERVE OUT conflicts with it', conflict(self.b.persist(REGISTER, 0, 0xb)))
        self.a.logout()
        judge('the logout of its holder ends it', good(self.b.read()))
        self.a = self.hosts[0] = self.login('a')
        self.quiet()

    def persistent(self):
        self.quiet()
        first = self.a.generation()
        for host, key in zip(self.hosts, (0xa, 0xb, 0xc)):
            judge('%s registers' % host.letter.upper(), good(host.persist(REGISTER, 0, key)))
        judge('each registration counts', self.a.generation() == first + 3, self.a.generation())
        judge('all keys are read', self.c.keys() == [0xa, 0xb, 0xc], self.c.keys())
        judge('REGISTER by a wrong key conflicts', conflict(self.a.persist(REGISTER, 0xbad, 0xa1)))
        self.each_type()
        self.event('RELEASE of registrants only', self.held(WRITE_EXCLUSIVE_REGISTRANTS, self.let_go), (),
                   [(0x2a, 0x04)], [(0x2a, 0x04)])
        self.event('RELEASE of write exclusive', self.held(WRITE_EXCLUSIVE, self.let_go))
        self.event('PREEMPT', lambda: good(self.b.persist(PREEMPT, 0xb, 0xa, EXCLUSIVE_ACCESS)), [(0x2a, 0x05)])
        judge('who was preempted is out', self.c.keys() == [0xb, 0xc], self.c.keys())
        self.event('CLEAR', lambda: good(self.b.persist(CLEAR, 0xb)), (), (), [(0x2a, 0x03)])
        judge('nobody is registered', self.a.keys() == [])

    def held(self, kind, then):
        judge('A reserves, type %d' % kind, good(self.a.persist(RESERVE, 0xa, 0, kind)))
        self.kind = kind
        return then

    def let_go(self):
        judge('A releases, type %d' % self.kind, good(self.a.persist(RELEASE, 0xa, 0, self.kind)))

    def each_type(self):
        """Who may read and write: A holds, B is registered, C is not."""
        judge('C withdraws', good(self.c.persist(REGISTER, 0xc, 0)))
        for kind, b_reads, b_writes, c_reads in (
                (WRITE_EXCLUSIVE, True, False, True), (EXCLUSIVE_ACCESS, False, False, False),
                (WRITE_EXCLUSIVE_REGISTRANTS, True, True, True), (EXCLUSIVE_ACCESS_REGISTRANTS, True, True, False),
                (WRITE_EXCLUSIVE_ALL, True, True, True), (EXCLUSIVE_ACCESS_ALL, True, True, False)):
            self.held(kind, None)
            seen = self.b.reservation()
            # SPC-4 6.16.3: all registrants hold it, so no key is told.
            judge('type %d is read' % kind, seen == (0 if kind >= WRITE_EXCLUSIVE_ALL else 0xa, kind), seen)
            judge('type %d: the holder reads and writes' % kind, good(self.a.read()) and good(self.a.write()))
            judge('type %d: B, registered, reads' % kind, may(self.b.read(), b_reads))
            judge('type %d: B, registered, writes' % kind, may(self.b.write(), b_writes))
            judge('type %d: C, not registered, reads' % kind, may(self.c.read(), c_reads))
            judge('type %d: C, not registered, does not write' % kind, conflict(self.c.write()))
            self.let_go()
            self.quiet()
        judge('C registers again', good(self.c.persist(REGISTER, 0, 0xc)))
        self.quiet()

    def registration_outlives_session(self):
        judge('A registers for good', good(self.a.persist(REGISTER, 0, 0xa)))
        judge('A reserves for good', good(self.a.persist(RESERVE, 0xa, 0, WRITE_EXCLUSIVE)))
        self.a.logout()
        judge('the reservation stands without its holder', conflict(self.b.write()))
        self.a = self.hosts[0] = self.login('a')
        self.quiet()
        judge('A is the holder when it comes back', good(self.a.write()))
        good(self.a.persist(CLEAR, 0xa))
        self.quiet()


def good(answer):
    return answer.status == iscsi.GOOD


def conflict(answer):
    return answer.status == iscsi.RESERVATION_CONFLICT


def may(answer, allowed):
    return good(answer) if allowed else conflict(answer)


def words(attentions):
    return ', '.join('%02Xh/%02Xh' % attention for attention in attentions) or 'nothing'


def main():
    again = sys.argv[1] == '--again'
    portal1, portal2, target, *control = sys.argv[1 + again:]
    sharing = Sharing(again, portal1, portal2, target, control)
    for scenario in () if again else (sharing.nexus_loss, sharing.resets, sharing.modes, sharing.medium, sharing.bypass,
                     sharing.timestamp, sharing.resize, sharing.freeze, sharing.reload, sharing.kick, sharing.aca,
                     sharing.abort_is_safe, sharing.preempt_is_safe, sharing.reserve, sharing.persistent,
                     sharing.registration_outlives_session):
        try:
            scenario()
        except (iscsi.Failed, struct.error) as failure:
            judge(scenario.__name__, False, failure)
    for host in sharing.hosts:
        host.logout()
    sys.exit(failures > 0)


if __name__ == '__main__':
    main()
