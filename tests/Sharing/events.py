#!/usr/bin/env python3
"""events.py PORTAL1 PORTAL2 TARGET CONTROL...: SCSI asynchronous events (RFC 7143 11.9.1, event 0): who gets which, and
that nobody gets any at a target that says asynchronous_events: no. A belongs to a group of its own; C comes through
another target port; "silent" are A and B at that other target, which leads to the same units.

In the current folder lie peers.yaml, which the daemon reads, and first.yaml, more-for-a.yaml, other-for-a.yaml.
"""
import shutil
import sys
import time

import peer
from peer import good, judge, words

LUNS_CHANGED, INQUIRY_CHANGED, CAPACITY_CHANGED = (0x3f, 0x0e), (0x3f, 0x03), (0x2a, 0x09)


class Events:
    def __init__(self, portal1, portal2, target, *control):
        self.ctl = peer.Administrator(control)
        self.target = target
        self.hosts = {'A': peer.Peer('a', portal1, target), 'B': peer.Peer('b', portal1, target),
                      'C': peer.Peer('c', portal2, target), 'silent A': peer.Peer('a', portal1, target + '-silent'),
                      'silent B': peer.Peer('b', portal2, target + '-silent')}
        self.quiet()

    def quiet(self):
        for host in self.hosts.values():
            for lun in (0, 1):
                host.attentions(lun)
            host.events.clear()

    def give(self, name):
        shutil.copy(name, 'peers.yaml')
        self.ctl('reload', '--force')   # sizes that have grown come back

    def tells(self, name, act, events, attentions, lun=0):
        """events: of each host the (LUN, code) in any order; attentions: on the LUN, after the event."""
        self.quiet()
        # Of each kind there is at most one in a second.
        time.sleep(1.1)
        act()
        for host in self.hosts.values():
            host.idle(0.2)
        for letter, host in self.hosts.items():
            expected = sorted((peer.lun_bytes(at), code) for at, code in events.get(letter, ()))
            seen = sorted((at, sense.code) for event, at, sense in host.events if event == 0 and sense.key == 6)
            judge('%s: %s gets %s' % (name, letter, words(code for _, code in expected)),
                  seen == expected and len(host.events) == len(expected), host.events)
        for letter, host in self.hosts.items():
            seen, expected = host.attentions(lun), attentions.get(letter, [])
            judge('%s: pending for %s: %s' % (name, letter, words(expected)), seen == expected, words(seen))

    # ---- What there is to tell -------------------------------------------------------------------------------------

    def reported_luns(self):
        pending = {'A': [LUNS_CHANGED], 'silent A': [LUNS_CHANGED]}
        self.tells('a LUN more for A', lambda: self.give('more-for-a.yaml'), {'A': [(0, LUNS_CHANGED)]}, pending)
        judge('A sees it', len(self.hosts['A'].luns()) == 3 and len(self.hosts['B'].luns()) == 2)
        self.tells('the same again', lambda: self.give('more-for-a.yaml'), {}, {})
        self.tells('a LUN less for A', lambda: self.give('first.yaml'), {'A': [(0, LUNS_CHANGED)]}, pending)

    def inquiry_data(self):
        pending = {'A': [(0x29, 0x00), INQUIRY_CHANGED], 'silent A': [(0x29, 0x00), INQUIRY_CHANGED]}
        self.tells('LUN 1 of A leads elsewhere', lambda: self.give('other-for-a.yaml'),
                   {'A': [(1, INQUIRY_CHANGED)]}, pending, lun=1)
        self.tells('and back', lambda: self.give('first.yaml'), {'A': [(1, INQUIRY_CHANGED)]}, pending, lun=1)
        self.tells('replaced by scstctl', lambda: self.ctl('replace', self.target, '1', 'three', '--group', 'a'),
                   {'A': [(1, INQUIRY_CHANGED)]}, {'A': pending['A']}, lun=1)
        self.tells('a reload brings the old back', lambda: self.give('first.yaml'),
                   {'A': [(1, INQUIRY_CHANGED)]}, {'A': pending['A']}, lun=1)

    def capacity(self):
        every = {letter: [CAPACITY_CHANGED] for letter in self.hosts}
        self.tells('resize', lambda: self.ctl('resize', 'two', '96MiB'), {
            letter: [(1, CAPACITY_CHANGED)] for letter in 'ABC'}, every, lun=1)
        self.tells('resize to what it is', lambda: self.ctl('resize', 'two', '96MiB'), {}, {}, lun=1)
        self.tells('resize of a unit that nobody sees', lambda: self.ctl('resize', 'three', '96MiB'), {}, {}, lun=1)
        self.hosts['B'].change_control(d_sense=1)
        self.tells('resize, descriptor sense', lambda: self.ctl('resize', 'one', '96MiB'), {
            letter: [(0, CAPACITY_CHANGED)] for letter in 'ABC'}, every)
        self.ctl('resize', 'two', '128MiB')
        self.ctl('resize', 'one', '128MiB')
        for letter in 'ABC':
            host = self.hosts[letter]
            host.serve_until(lambda host=host: len(host.events) >= 2, 10)
            formats = {at[1]: sense.has_descriptors for _, at, sense in host.events}
            judge('D_SENSE of the unit gives the format: ' + letter, formats == {0: True, 1: False}, formats)
        # The sizes of the file come back: two events of one kind.
        self.give('first.yaml')
        time.sleep(2.2)
        self.quiet()
        self.hosts['B'].change_control(d_sense=0)

    def nothing_else(self):
        """What concerns an initiator's commands is told with these (SAM-5 5.14)."""
        a, b = self.hosts['A'], self.hosts['B']
        others = {letter: [(0x2a, 0x01)] for letter in self.hosts if letter != 'A'}
        self.tells('MODE SELECT', lambda: a.change_control(tas=1), {}, others)
        self.tells('MODE SELECT back', lambda: a.change_control(tas=0), {}, others)
        self.tells('LUN RESET', lambda: a.manage(peer.LUN_RESET), {}, {
            letter: [(0x29, 0x03)] for letter in self.hosts})
        b.persist(0, 0, 0xb)
        a.persist(0, 0, 0xa)
        self.tells('CLEAR', lambda: a.persist(3, 0xa), {}, {'B': [(0x2a, 0x03)]})

    # ---- How often -------------------------------------------------------------------------------------------------

    def no_flood(self):
        """Changes that follow each other quickly: at most one event of the kind in a second, the last always."""
        self.quiet()
        time.sleep(1.1)
        a = self.hosts['A']
        begin = time.monotonic()
        for name in ('more-for-a.yaml', 'first.yaml', 'more-for-a.yaml', 'first.yaml'):
            self.give(name)
        a.idle(2.5)
        taken = time.monotonic() - begin
        judge('four changes give at least two events and no more than one in a second',
              2 <= len(a.events) <= taken + 1 and all(sense.code == LUNS_CHANGED for _, _, sense in a.events),
              '%d in %.1f s' % (len(a.events), taken))
        others = [self.hosts[letter] for letter in ('B', 'C', 'silent A')]
        for host in others:
            host.serve(0.1)
        judge('and the others get none', not any(host.events for host in others))

    def told_no_more(self):
        """The target's switch takes effect on sessions that are open."""
        text = open('first.yaml').read()
        with open('none.yaml', 'w') as file:
            file.write(text.replace('  %s:\n' % self.target, '  %s:\n    asynchronous_events: no\n' % self.target))
        self.give('none.yaml')
        every = {letter: [CAPACITY_CHANGED] for letter in self.hosts}
        self.tells('asynchronous_events: no, while they are logged in',
                   lambda: self.ctl('resize', 'two', '160MiB'), {}, every, lun=1)
        self.give('first.yaml')
        self.tells('yes again', lambda: self.ctl('resize', 'two', '192MiB'), {
            letter: [(1, CAPACITY_CHANGED)] for letter in 'ABC'}, every, lun=1)
        self.give('first.yaml')

    def kick(self):
        """Events 1 and 3: the initiator is asked to log out, or told that it is dropped."""
        self.quiet()
        b, c = self.hosts['B'], self.hosts['C']
        self.ctl('kick', c.name())
        try:
            c.serve_until(lambda: False, 10)
        except peer.Failed:
            pass
        seen = [event for event, _, _ in c.events]
        judge('a session that is kicked is told so (event 3), and ends', seen == [3] and c.closed, seen)
        judge('nobody else is told', good(b.read()) and not b.events, b.events)
        del self.hosts['C']


def main():
    events = Events(*sys.argv[1:])
    peer.run((events.reported_luns, events.inquiry_data, events.capacity, events.nothing_else, events.no_flood,
              events.told_no_more, events.kick))
    for host in events.hosts.values():
        host.logout()


if __name__ == '__main__':
    main()
