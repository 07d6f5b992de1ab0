#!/usr/bin/env python3
"""paths.py PORTAL1 PORTAL2 TARGET CONTROL...: two paths to a disk, in states that an administrator and a host change.

A and B come in through PORTAL1, whose target port is in the group "left" (1, active), C through PORTAL2, in the group
"right" (2, standby), which hosts may change. The groups concern LUN 0 alone. The configuration is paths.yaml in the
current folder. Prints PASS and FAIL lines.
"""
import json
import struct
import subprocess
import sys
import time

from sharing import Host, good, judge, words

import libiscsi as iscsi

CHANGED = (0x2a, 0x06)
OPTIMIZED, NON_OPTIMIZED, STANDBY, UNAVAILABLE, OFFLINE, TRANSITIONING = 0, 1, 2, 3, 0xe, 0xf


def report(host):
    """REPORT TARGET PORT GROUPS: {group: (state, cause, ports)}."""
    data = host.command(bytes([0xa3, 0x0a, 0, 0, 0, 0, 0, 0, 0, 255, 0, 0]), read_bytes=255).data
    groups, at = {}, 4
    while at < 4 + struct.unpack_from('>I', data)[0]:
        state, _, group, _, cause, _, count = struct.unpack_from('>BBHBBBB', data, at)
        ports = [struct.unpack_from('>H', data, at + 8 + 4 * i + 2)[0] for i in range(count)]
        groups[group] = state & 0x0f, cause, ports
        at += 8 + 4 * count
    return groups


def set_states(host, *states):
    """SET TARGET PORT GROUPS."""
    data = bytes(4) + b''.join(struct.pack('>BBH', state, 0, group) for group, state in states)
    return host.command(struct.pack('>BBIIBB', 0xa4, 0x0a, 0, len(data), 0, 0), data)


class Paths:
    def __init__(self, portal1, portal2, target, control):
        self.control = control
        self.hosts = [Host(letter, portal2 if letter == 'c' else portal1, target) for letter in 'abc']
        self.a, self.b, self.c = self.hosts
        self.quiet()

    def quiet(self):
        for host in self.hosts:
            for lun in 0, 1:
                host.attentions(lun)

    def ctl(self, *arguments):
        done = subprocess.run([*self.control, *arguments], capture_output=True, text=True, timeout=60)
        judge('scstctl ' + ' '.join(arguments), done.returncode == 0, done.stdout + done.stderr)
        return done.stdout

    def state_of(self, name):
        groups = json.loads(subprocess.run(
            [*self.control, 'port-groups', '--json'], capture_output=True, text=True, timeout=60).stdout)['groups']
        return next(group['state'] for group in groups if group['name'] == name)

    def told(self, name, left=(), right=()):
        for host, expected in (self.a, left), (self.b, left), (self.c, right):
            seen = host.attentions()
            judge('%s: %s is told %s' % (name, host.letter.upper(), words(expected)), seen == list(expected),
                  words(seen))

    def refused(self, name, host, ascq):
        for what, answer in ('TEST UNIT READY', host.test_unit_ready()), ('READ', host.read()):
            judge('%s: %s of %s is refused' % (name, what, host.letter.upper()),
                  answer.sense == (iscsi.NOT_READY, 0x04, ascq), answer)

    def serves(self, name, host, lun=None):
        judge('%s: %s reads and writes' % (name, host.letter.upper()),
              good(host.read(lun=lun)) and good(host.write(lun=lun)))

    def as_configured(self):
        groups = {1: (OPTIMIZED, 0, [11]), 2: (STANDBY, 0, [12])}
        judge('each port is in its group', report(self.a) == report(self.c) == groups, report(self.a))
        judge('INQUIRY tells of both ways to change them', self.a.inquiry().data[5] & 0x30 == 0x30)
        judge('but not of the disk that has no groups', self.a.inquiry(1).data[5] & 0x30 == 0)
        self.serves('left is active', self.a)
        self.refused('right is in standby', self.c, 0x0b)
        judge('standby: INQUIRY and REPORT LUNS are answered', good(self.c.inquiry()) and self.c.luns() == [0, 1])
        judge('standby: so are PERSISTENT RESERVE IN and MODE SENSE', self.c.keys() == [] and self.c.control_page())
        self.serves('the other disk', self.c, 1)

    def administrator(self):
        self.ctl('port-group', 'set', 'left', 'standby')
        self.told('left goes to standby', left=[CHANGED])
        self.refused('left is in standby', self.a, 0x0b)
        self.ctl('port-group', 'set', 'left', 'active-optimized')
        self.told('left comes back', left=[CHANGED])
        self.serves('left is back', self.b)
        self.ctl('port-group', 'set', 'right', 'unavailable')
        self.told('right becomes unavailable', right=[CHANGED])
        self.refused('right is unavailable', self.c, 0x0c)
        self.ctl('port-group', 'set', 'right', 'transitioning')
        self.told('a transition of right begins')
        self.refused('right is in transition', self.c, 0x0a)
        judge('RTPG tells of it', report(self.c)[2][0] == TRANSITIONING, report(self.c))
        self.ctl('port-group', 'set', 'right', 'active-non-optimized')
        self.told('the transition ends', right=[CHANGED])
        self.serves('right is active', self.c)
        judge('RTPG says by whom', report(self.a)[2] == (NON_OPTIMIZED, 2, [12]), report(self.a))

    def host(self):
        judge('SET TARGET PORT GROUPS', good(set_states(self.c, (2, OPTIMIZED))))
        self.told('a host sets its own group')
        judge('RTPG says by whom', report(self.a)[2] == (OPTIMIZED, 1, [12]), report(self.a))
        end = time.monotonic() + 20
        while self.state_of('right') != 'active-optimized' and time.monotonic() < end:
            time.sleep(0.1)
        judge('the daemon follows', self.state_of('right') == 'active-optimized', self.state_of('right'))
        judge('from another path', good(set_states(self.a, (2, STANDBY))))
        self.told('a host sets the group of another', right=[CHANGED])
        refused = set_states(self.a, (1, STANDBY))
        judge('a group that is the administrator\'s is refused', refused.sense == (iscsi.ILLEGAL_REQUEST, 0x26, 0),
              refused)

    def file(self):
        self.ctl('port-group', 'set', 'right', 'active-non-optimized', '--save')
        self.quiet()
        with open('paths.yaml') as file:
            text = file.read()
        judge('--save writes the state', 'id: 2, state: active-non-optimized' in text, text)
        judge('so that a reload changes nothing', '0 change(s)' in self.ctl('reload'))
        self.told('a reload of the same')
        with open('paths.yaml', 'w') as file:
            file.write(text.replace('id: 2, state: active-non-optimized', 'id: 2, state: offline'))
        judge('a reload brings another state', 'port group right: offline instead of active-non-optimized'
              in self.ctl('reload'))
        self.told('right goes offline by a reload', right=[CHANGED])
        self.refused('right is offline', self.c, 0x12)
        self.serves('left serves on', self.a)


def main(portal1, portal2, target, *control):
    paths = Paths(portal1, portal2, target, control)
    for scenario in paths.as_configured, paths.administrator, paths.host, paths.file:
        scenario()
    for host in paths.hosts:
        host.close()


if __name__ == '__main__':
    main(*sys.argv[1:])
