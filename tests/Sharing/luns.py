#!/usr/bin/env python3
"""luns.py configuration|measure …: 16,384 LUNs in one session (SAM-5 4.7.7: all that 14 bits can name).

    luns.py configuration ADDRESS SOCKET TARGET [WITHOUT]   prints the configuration, without that LUN's map entry
    luns.py measure PORTAL TARGET PID START-SECONDS CONTROL...

Each LUN leads to a disk of its own in memory. In the current folder lie luns.yaml, which the daemon reads,
all-luns.yaml and one-less.yaml.
"""
import contextlib
import os
import shutil
import struct
import subprocess
import sys
import time

import peer
from peer import good, judge

COUNT = 16384
REMOVED = 9000
# SAM-5 4.7.7.5: the well known logical units; 01h is that of REPORT LUNS.
WELL_KNOWN = bytes.fromhex('c101')
NOT_SUPPORTED = (5, (0x25, 0x00))


def configuration(address, socket, target, without=None):
    print('control: {socket: %s}\nstate_directory: none\nportals: {all: "%s"}\ndevices:' % (socket, address))
    for number in range(COUNT):
        print('  d%d: {store: memory, size: 64KiB, thin: yes}' % number)
    print('targets:\n  %s:\n    luns:' % target)
    for number in range(COUNT):
        if str(number) != without:
            print('      %d: d%d' % (number, number))


def peripheral(number):
    return struct.pack('>H6x', number)


def flat(number):
    return struct.pack('>H6x', 0x4000 | number)


def extended(number):
    return struct.pack('>I4x', 0xd2000000 | number)


def pattern(number):
    return struct.pack('>I', number) * 128


class Luns:
    def __init__(self, portal, target, pid, start_seconds, *control):
        self.ctl = peer.Administrator(control)
        self.pid = pid
        judge('the daemon with 16,384 units starts with less than 20 s of processor time', self.processor_s() < 20,
              self.processor_s())
        print('started in %s s, %.1f s of processor time, %d MiB resident' % (
            start_seconds, self.processor_s(), self.resident() >> 10))
        with self.takes('a login', 2):
            self.a = peer.Peer('a', portal, target)
        self.b = peer.Peer('b', portal, target)
        print('%d MiB resident with two sessions' % (self.resident() >> 10))
        # 2 x 16,384 nexuses and as many units.
        judge('in less than 1 GiB', self.resident() < 1 << 20, self.resident())

    def resident(self):
        for line in open('/proc/%s/status' % self.pid):
            if line.startswith('VmRSS:'):
                return int(line.split()[1])

    def processor_s(self):
        """What the daemon has used so far: a clock that does not go faster on a machine that has other work."""
        fields = open('/proc/%s/stat' % self.pid).read().rpartition(')')[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')

    @contextlib.contextmanager
    def takes(self, name, most):
        begin, used = time.monotonic(), self.processor_s()
        yield
        used = self.processor_s() - used
        print('%s: %.3f s, %.2f s of processor time' % (name, time.monotonic() - begin, used))
        judge('%s takes less than %g s of processor time' % (name, most), used < most, '%.2f s' % used)

    @staticmethod
    def taken(name, begin, most):
        seconds = time.monotonic() - begin
        print('%s: %.3f s' % (name, seconds))
        judge('%s takes less than %g s' % (name, most), seconds < most, '%.3f s' % seconds)

    # ---- REPORT LUNS ------------------------------------------------------------------------------------------------

    def report_luns(self):
        begin = time.monotonic()
        data = self.a.report_luns(room=8 + 8 * COUNT).data
        self.taken('REPORT LUNS', begin, 3)
        every = [peripheral(n) if n < 256 else flat(n) for n in range(COUNT)]
        judge('REPORT LUNS tells all of them', data == struct.pack('>I4x', 8 * COUNT) + b''.join(every), len(data))
        for room in (16, 4096, 65543, 8 + 8 * COUNT - 1):
            cut = self.a.report_luns(room=room).data
            judge('cut at %d bytes: the same, with the whole length' % room, cut == data[:room], len(cut))
        longer = self.a.report_luns(room=1 << 20)
        judge('more room than needed', longer.data == data)
        answer = self.a.report_luns(room=8)
        judge('less than 16 bytes are refused (SPC-4 6.33)', answer.sense and answer.sense.code == (0x24, 0), answer)
        for select, expected in ((0x01, [WELL_KNOWN.ljust(8, b'\0')]), (0x02, every + [WELL_KNOWN.ljust(8, b'\0')]),
                                 (0x10, []), (0x11, every), (0x12, [])):
            seen = self.a.report_luns(select, room=1 << 20).data
            judge('SELECT REPORT %02Xh: %d' % (select, len(expected)),
                  seen[:4] == struct.pack('>I', 8 * len(expected)) and
                  sorted(seen[at:at + 8] for at in range(8, len(seen), 8)) == sorted(expected),
                  struct.unpack('>I', seen[:4]))
        for select in (0x03, 0x13, 0xff):
            answer = self.a.report_luns(select)
            judge('SELECT REPORT %02Xh is refused' % select, answer.sense and answer.sense.code == (0x24, 0), answer)
        for number in (255, 16383):
            judge('LUN %d answers REPORT LUNS too' % number,
                  self.a.report_luns(room=8 + 8 * COUNT, lun=number).data == data)

    # ---- The units --------------------------------------------------------------------------------------------------

    def units(self):
        for number, forms in ((0, (peripheral, flat, extended)), (255, (peripheral, flat, extended)),
                              (256, (flat, extended)), (16383, (flat, extended))):
            first = self.a.test_unit_ready(number)
            judge('LUN %d tells its own unit attention' % number, first.attention == (0x29, 0), first)
            for form in forms:
                name, lun = 'LUN %d, %s' % (number, form.__name__), form(number)
                data = self.a.inquiry(lun).data
                judge(name + ': INQUIRY', data[0] == 0 and data[8:13] == b'SCSTD', data[:16].hex())
                serial = self.a.inquiry(lun, page=0x80).data[4:]
                judge(name + ': its own serial number', serial == self.a.inquiry(number, page=0x80).data[4:] and
                      serial != self.a.inquiry(1, page=0x80).data[4:], serial)
                judge(name + ': WRITE', good(self.a.command(self.a.write_cdb(3), pattern(number + forms.index(form)),
                                                            lun=lun)))
                judge(name + ': READ', self.a.read(3, lun=lun).data == pattern(number + forms.index(form)))
                judge(name + ': LUN RESET', self.a.manage(peer.LUN_RESET, lun=lun) == peer.COMPLETE and
                      self.a.test_unit_ready(lun).attention == (0x29, 3))
        judge('each has its own data', [self.a.read(3, lun=number).data[:4] for number in (0, 255, 256, 16383)] ==
              [pattern(number)[:4] for number in (2, 257, 257, 16384)])

    def none_there(self):
        """SPC-4 6.6.2, 6.33, 6.39; SAM-5 5.11."""
        for name, lun in (('peripheral, bus 1', bytes([1, 0])), ('extended, 16,384', extended(16384)),
                          ('two levels', struct.pack('>HH4x', 1, 1)), ('logical unit, target 1', bytes([0x81, 0])),
                          ('long extended', bytes.fromhex('e200000000000001'))):
            data = self.a.inquiry(lun).data
            judge(name + ': INQUIRY says that there is none', data[0] == 0x7f, data[:8].hex())
            data = self.a.inquiry(lun, page=0).data
            judge(name + ': its pages too', data[:5] == bytes([0x7f, 0, 0, 1, 0]), data.hex())
            sense = self.a.request_sense(lun)
            judge(name + ': REQUEST SENSE is GOOD and says so', (sense.key, sense.code) == NOT_SUPPORTED, sense.code)
            for act, answer in (('TEST UNIT READY', self.a.test_unit_ready(lun)), ('READ', self.a.read(lun=lun)),
                                ('WRITE', self.a.write(lun=lun)), ('an unknown command', self.a.command(
                                    b'\xfe' + bytes(5), lun=lun))):
                judge('%s: %s' % (name, act), answer.sense and (answer.sense.key, answer.sense.code) ==
                      NOT_SUPPORTED, answer)
            data = self.a.report_luns(lun=lun, room=16).data
            judge(name + ': REPORT LUNS tells what there is', data[:4] == struct.pack('>I', 8 * COUNT), data.hex())
            judge(name + ': LUN RESET', self.a.manage(peer.LUN_RESET, lun=lun) == peer.LUN_DOES_NOT_EXIST)

    def well_known(self):
        """SPC-4 8.2: the REPORT LUNS well known logical unit."""
        data = self.a.inquiry(WELL_KNOWN).data
        judge('W-LUN: INQUIRY', data[0] == 0x1e, data[:8].hex())
        data = self.a.report_luns(lun=WELL_KNOWN, room=16).data
        judge('W-LUN: REPORT LUNS', data[:4] == struct.pack('>I', 8 * COUNT), data.hex())
        judge('W-LUN: TEST UNIT READY', good(self.a.test_unit_ready(WELL_KNOWN)))
        sense = self.a.request_sense(WELL_KNOWN)
        judge('W-LUN: REQUEST SENSE', (sense.key, sense.code) == (0, (0, 0)))
        answer = self.a.read(lun=WELL_KNOWN)
        judge('W-LUN: READ is no command of it', answer.sense and answer.sense.code == (0x20, 0), answer)
        answer = self.a.inquiry(bytes.fromhex('c102'))
        judge('another W-LUN is not there', answer.data[0] == 0x7f, answer.data[:8].hex())

    # ---- Changes ----------------------------------------------------------------------------------------------------

    def one_less(self):
        a, b = self.a, self.b
        for host in (a, b):
            for number in (0, 1, REMOVED, REMOVED + 1, 16383):
                host.attentions(number)
            host.events.clear()
        shutil.copy('one-less.yaml', 'luns.yaml')
        with self.takes('a reload that removes one LUN of 16,384', 10):
            reload = subprocess.Popen([*self.ctl.control, 'reload'], stdout=subprocess.PIPE, text=True)
            slowest, failed = 0, 0
            while reload.poll() is None:
                task = a.read(lun=16383)
                slowest, failed = max(slowest, task.ended_s - task.sent_s), failed + (not good(task))
        told = reload.communicate()[0]
        judge('it removes one LUN', reload.returncode == 0 and '1 change(s); 2 session(s)' in told, told)
        print('slowest READ meanwhile: %.3f s' % slowest)
        judge('a session goes on all the while', slowest < 3 and failed <= 1, '%.3f s, %d failed' % (slowest, failed))
        a.read(lun=16383)
        a.serve(1)
        judge('one event tells of it', [(event, sense.code) for event, _, sense in a.events] == [(0, (0x3f, 0x0e))],
              a.events)
        # A READ was the first command to any LUN: it has reported it, once for the whole nexus.
        seen = [a.attentions(number) for number in (0, 1, REMOVED + 1, 16383)]
        judge('reported once, on one LUN', seen == [[], [], [], []], seen)
        seen = [b.attentions(number) for number in (1, 0, 16383)]
        judge('to the other initiator as well', seen == [[(0x3f, 0x0e)], [], []], seen)
        answer = a.read(lun=REMOVED)
        judge('the LUN is gone', answer.sense and (answer.sense.key, answer.sense.code) == NOT_SUPPORTED, answer)
        judge('those beside it are not', good(a.read(lun=REMOVED - 1)) or good(a.read(lun=REMOVED - 1)))
        data = a.report_luns(room=1 << 20).data
        judge('REPORT LUNS tells one less', len(data) == 8 + 8 * (COUNT - 1) and flat(REMOVED) not in
              {data[at:at + 8] for at in range(8, len(data), 8)})
        shutil.copy('all-luns.yaml', 'luns.yaml')
        with self.takes('a reload that gives it back', 10):
            self.ctl('reload')
        b.report_luns(room=16)
        seen = [b.attentions(number) for number in (0, 16383)]
        judge('REPORT LUNS ends the unit attention everywhere', seen == [[], []], seen)
        judge('the LUN is new', b.attentions(REMOVED) == [(0x29, 0x00)])
        with self.takes('a reload that changes nothing', 10):
            self.ctl('reload')
        judge('tells nobody', [host.attentions(0) for host in (a, b)] == [[(0x3f, 0x0e)], []])

    def target_reset(self):
        with self.takes('TARGET WARM RESET of 16,384 units', 5):
            judge('TARGET WARM RESET is complete', self.a.manage(peer.TARGET_WARM_RESET, seconds=60) == peer.COMPLETE)
        seen = [self.b.attentions(number)[:1] for number in (0, 255, 256, 16383)]
        judge('each unit tells of it', seen == [[(0x29, 0x00)]] * 4, seen)
        with self.takes('I_T NEXUS RESET at 16,384 units', 5):
            judge('I_T NEXUS RESET is complete', self.a.manage(peer.I_T_NEXUS_RESET, seconds=60) == peer.COMPLETE)

    def speed(self):
        """A command costs the same at the first LUN and at the last."""
        rates = {}
        for number in (0, 16383, 0, 16383):
            self.a.attentions(number)
            begin = time.monotonic()
            for _ in range(20):
                for task in [self.a.send_read(lun=number) for _ in range(50)]:
                    task.wait()
            rates[number] = max(rates.get(number, 0), 1000 / (time.monotonic() - begin))
        print('reads a second: %s' % rates)
        judge('LUN 16383 is as quick as LUN 0', rates[16383] > 0.5 * rates[0], rates)

    def end(self):
        with self.takes('a logout', 2):
            self.b.logout()
        with self.takes('scstctl sessions', 3):
            self.ctl('sessions', '--json')
        with self.takes('scstctl units', 3):
            self.ctl('units', '--json')
        self.a.logout()


def main():
    if sys.argv[1] == 'configuration':
        configuration(*sys.argv[2:])
        return
    luns = Luns(*sys.argv[2:])
    peer.run((luns.report_luns, luns.units, luns.none_there, luns.well_known, luns.speed, luns.one_less,
              luns.target_reset, luns.end))


if __name__ == '__main__':
    main()
