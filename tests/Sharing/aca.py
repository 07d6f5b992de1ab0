#!/usr/bin/env python3
"""aca.py PORTAL1 PORTAL2 TARGET CONTROL...: auto contingent allegiance (SAM-5 5.9) over iSCSI. A faults with NACA; B
shares its target port, C comes through another."""
import sys

import peer
from peer import GOOD, good, judge

NACA = peer.NACA
NO_SUCH_BLOCK = 0xfffffff0
REGISTER, RESERVE, CLEAR, PREEMPT_AND_ABORT = 0, 1, 3, 5
EXCLUSIVE_ACCESS_REGISTRANTS = 6
INVALID_MESSAGE, OUT_OF_RANGE = (0x49, 0x00), (0x21, 0x00)


class AutoContingentAllegiance:
    def __init__(self, portal1, portal2, target, *control):
        self.ctl = peer.Administrator(control)
        self.portals, self.target = (portal1, portal1, portal2), target
        self.a, self.b, self.c = (peer.Peer(letter, portal, target) for letter, portal in zip('abc', self.portals))
        self.quiet()

    @property
    def all(self):
        return self.a, self.b, self.c

    def quiet(self):
        for host in self.all:
            host.attentions()

    def fault(self, host=None):
        answer = (host or self.a).read(NO_SUCH_BLOCK, control=NACA)
        judge('a command with NACA faults', answer.sense and answer.sense.code == OUT_OF_RANGE, answer)

    def over(self, name):
        judge(name + ': all go on', all(good(host.read()) for host in self.all))

    def clear(self):
        return self.a.manage(peer.CLEAR_ACA) == peer.COMPLETE

    # ---- What comes during the condition --------------------------------------------------------------------------

    def without(self):
        judge('INQUIRY tells NORMACA', self.a.inquiry().data[3] & 0x20)
        judge('a command with NACA that ends well stops nobody', good(self.a.read(control=NACA)) and
              all(good(host.read()) for host in self.all))
        judge('a fault without NACA stops nobody', self.a.read(NO_SUCH_BLOCK).status == peer.CHECK_CONDITION and
              all(good(host.read()) for host in self.all))
        answer = self.a.read(attribute=peer.ACA)
        judge('the ACA attribute without the condition is refused', answer.sense and
              answer.sense.code == INVALID_MESSAGE, answer)
        judge('CLEAR ACA without the condition is complete', self.clear())

    def statuses(self):
        """SAM-5 5.9: who gets which status."""
        self.fault()
        for name, host, more, expected in (
                ('the faulted nexus', self.a, {}, peer.ACA_ACTIVE),
                ('the faulted nexus, NACA', self.a, {'control': NACA}, peer.ACA_ACTIVE),
                ('the faulted nexus, ORDERED', self.a, {'attribute': peer.ORDERED}, peer.ACA_ACTIVE),
                ('the faulted nexus, HEAD OF QUEUE', self.a, {'attribute': peer.HEAD_OF_QUEUE}, peer.ACA_ACTIVE),
                ('the faulted nexus, ACA attribute', self.a, {'attribute': peer.ACA}, GOOD),
                ('another nexus', self.b, {}, peer.BUSY),
                ('another nexus, NACA', self.b, {'control': NACA}, peer.ACA_ACTIVE),
                ('another nexus, ACA attribute', self.b, {'attribute': peer.ACA}, peer.BUSY),
                ('another target port', self.c, {}, peer.BUSY),
                ('another target port, NACA', self.c, {'control': NACA}, peer.ACA_ACTIVE)):
            answer = host.read(**more)
            judge('%s: %02xh' % (name, expected), answer.status == expected, answer)
        # SAM-5 5.3.3: these too; only a unit attention and a reservation pass INQUIRY by.
        judge('INQUIRY is stopped as well', self.a.inquiry().status == peer.ACA_ACTIVE
              and self.b.inquiry().status == peer.BUSY)
        judge('the unit beside serves all', all(good(host.test_unit_ready(lun=1)) or
                                               good(host.test_unit_ready(lun=1)) for host in self.all))
        late = peer.Peer('late', self.portals[1], self.target)
        judge('who logs in now is stopped as well', late.read().status == peer.BUSY)
        late.logout()
        judge('CLEAR ACA of another nexus is complete', self.b.manage(peer.CLEAR_ACA) == peer.COMPLETE)
        judge('and has no effect', self.a.read().status == peer.ACA_ACTIVE and self.b.read().status == peer.BUSY)
        judge('CLEAR ACA of the faulted one is complete', self.clear())
        self.over('CLEAR ACA')

    def one_at_a_time(self):
        self.fault()
        self.ctl.fault('one', 'DelayCommand', '--delay-ms', '4000', '--count', '1', '--data-only')
        first = self.a.send_read(attribute=peer.ACA)
        second = self.a.read(attribute=peer.ACA)
        judge('a second command with the ACA attribute is told ACA ACTIVE', second.status == peer.ACA_ACTIVE, second)
        judge('the first ends well', good(first.wait()), first)
        judge('then another is let in', good(self.a.read(attribute=peer.ACA)))
        self.ctl.no_faults()
        self.ctl.fault('one', 'DelayCommand', '--delay-ms', '60000', '--count', '1', '--data-only')
        hangs = self.a.send_write(50, byte=3, attribute=peer.ACA)
        judge('CLEAR ACA takes the command with the ACA attribute along', self.clear()
              and self.a.manage(peer.QUERY_TASK, hangs) == peer.COMPLETE and hangs.status is None)
        self.ctl.no_faults()
        self.over('CLEAR ACA of a command')

    def fault_inside(self):
        self.fault()
        answer = self.a.read(NO_SUCH_BLOCK, attribute=peer.ACA, control=NACA)
        judge('a fault of the command with the ACA attribute is told', answer.sense and
              answer.sense.code == OUT_OF_RANGE, answer)
        judge('the condition lasts', self.a.read().status == peer.ACA_ACTIVE and self.b.read().status == peer.BUSY)
        judge('one CLEAR ACA is enough', self.clear())
        self.over('a fault inside')

    def blocked(self):
        """Commands that were in the task set when the condition came, SAM-5 5.9.3: none is done until it ends."""
        for host in self.all:
            host.write(60, byte=1)
        self.ctl.fault('one', 'DelayCommand', '--delay-ms', '4000', '--count', '3', '--data-only')
        waiting = [host.send_write(60 + n, byte=2) for n, host in enumerate(self.all)]
        for host in self.all:
            host.test_unit_ready()
        self.fault()
        judge('A reads by the ACA attribute', self.a.read(60, 3, attribute=peer.ACA).data[:1] == b'\1')
        # Together longer than any would have taken.
        for host in self.all:
            host.idle(1.5)
        judge('none that came before is done', [task.status for task in waiting] == [None] * 3,
              [str(task) for task in waiting])
        judge('the medium is as it was', self.a.read(60, attribute=peer.ACA).data[:1] == b'\1')
        judge('CLEAR ACA lets them go on', self.clear() and all(good(task.wait()) for task in waiting))
        judge('and they are done', self.b.read(60).data[:1] == b'\2')
        self.ctl.no_faults()
        self.over('what was blocked')

    def two_faults(self):
        """What faults for B was in the task set when A's condition came: its turn comes when that is cleared."""
        self.ctl.fault('one', 'DelayCommand', '--delay-ms', '4000', '--count', '1', '--initiator', self.b.name())
        # COMPARE AND WRITE of one block that is not as it says: MISCOMPARE.
        second = self.b.send_command(bytes([0x89] + [0] * 12 + [1, 0, NACA]), b'\x77' * 1024)
        self.b.idle(0.2)
        self.fault()
        self.b.idle(4.5)
        judge("B's fault waits", second.status is None, second)
        judge('CLEAR ACA of A', self.clear())
        judge("then it is B's", second.wait().status == peer.CHECK_CONDITION and
              self.b.read().status == peer.ACA_ACTIVE and self.a.read().status == peer.BUSY, second)
        judge('B clears it', self.b.manage(peer.CLEAR_ACA) == peer.COMPLETE)
        self.ctl.no_faults()
        self.over('two faults')

    # ---- What ends it ---------------------------------------------------------------------------------------------

    def preempt_and_abort(self):
        """SPC-4 5.13.11.2.7: the one command of another nexus that is let in, and ends it."""
        judge('A and B register', good(self.a.persist(REGISTER, 0, 0xa)) and good(self.b.persist(REGISTER, 0, 0xb)))
        judge('A reserves', good(self.a.persist(RESERVE, 0xa, 0, EXCLUSIVE_ACCESS_REGISTRANTS)))
        self.fault()
        judge('B is told BUSY', self.b.persist(RESERVE, 0xb, 0, EXCLUSIVE_ACCESS_REGISTRANTS).status == peer.BUSY)
        answer = self.b.persist(PREEMPT_AND_ABORT, 0xb, 0xa, EXCLUSIVE_ACCESS_REGISTRANTS)
        judge('PREEMPT AND ABORT is let in', good(answer), answer)
        judge('and ends the condition', good(self.b.read()))
        seen = self.a.attentions()
        judge('A is told that its registration is gone', seen == [(0x2a, 0x05)], peer.words(seen))
        judge('and no more of the condition', self.a.read().status == peer.RESERVATION_CONFLICT)
        judge('B clears', good(self.b.persist(CLEAR, 0xb)))
        self.over('PREEMPT AND ABORT')

    def preempt_of_another(self):
        """Of a nexus that is not the faulted one: the condition stays."""
        for host, key in zip(self.all, (0xa, 0xb, 0xc)):
            host.persist(REGISTER, 0, key)
        self.fault()
        answer = self.b.persist(PREEMPT_AND_ABORT, 0xb, 0xc, EXCLUSIVE_ACCESS_REGISTRANTS)
        judge('PREEMPT AND ABORT of another is let in', good(answer), answer)
        judge('and ends nothing', self.a.read().status == peer.ACA_ACTIVE and self.b.read().status == peer.BUSY)
        judge('CLEAR ACA does', self.clear())
        self.quiet()
        good(self.b.persist(CLEAR, 0xb))
        self.quiet()
        self.over('PREEMPT AND ABORT of another')

    def resets(self):
        for name, function, expected in (('LUN RESET', peer.LUN_RESET, [(0x29, 0x03)]),
                                         ('TARGET WARM RESET', peer.TARGET_WARM_RESET, [(0x29, 0x00)])):
            self.fault()
            judge(name + ' of another nexus', self.b.manage(function) == peer.COMPLETE)
            seen = [host.attentions() for host in self.all]
            judge(name + ' ends it, and tells all', seen == [expected] * 3, seen)
            self.quiet_beside()
            self.over(name)

    def quiet_beside(self):
        for host in self.all:
            host.attentions(1)

    def losses(self):
        """Of the faulted nexus: its connection is cut; it logs out; it resets itself."""
        self.fault()
        self.a.close()
        judge('the loss of the faulted nexus ends it', peer_becomes(self.b, GOOD))
        self.a = peer.Peer('a', self.portals[0], self.target)
        judge('it comes back', self.a.attentions() == [(0x29, 0x07)])
        self.over('loss')
        self.fault()
        self.c.close()
        self.c = peer.Peer('c', self.portals[2], self.target)
        judge('the loss of another does not', self.b.read().status == peer.BUSY)
        self.a.logout()
        judge('the logout of the faulted nexus does', good(self.b.read()))
        self.a = peer.Peer('a', self.portals[0], self.target)
        self.quiet()
        self.fault()
        judge('I_T NEXUS RESET of the faulted nexus is complete', self.a.manage(peer.I_T_NEXUS_RESET) == peer.COMPLETE)
        judge('and ends it', good(self.b.read()) and self.a.attentions() == [(0x29, 0x07)])
        self.over('I_T NEXUS RESET')


def peer_becomes(host, status, seconds=10):
    for _ in range(seconds * 10):
        if host.read().status == status:
            return True
        host.serve(0.1)
    return False


def main():
    aca = AutoContingentAllegiance(*sys.argv[1:])
    peer.run((aca.without, aca.statuses, aca.one_at_a_time, aca.fault_inside, aca.blocked, aca.two_faults,
                       aca.preempt_and_abort, aca.preempt_of_another, aca.resets, aca.losses))
    for host in aca.all:
        host.logout()


if __name__ == '__main__':
    main()
