#!/usr/bin/env python3
"""modes.py [--again] PORTAL1 PORTAL2 TARGET CONTROL...: the Control mode page (SPC-4 7.5.8), set by one initiator,
obeyed for the others, who come through the same target port (B) and through another (C).

Without --again it ends with values saved (SP), with which --again begins after the daemon was started anew.
"""
import sys

import peer
from peer import GOOD, good, judge

MODES_CHANGED, RESET, POWER_ON = (0x2a, 0x01), (0x29, 0x03), (0x29, 0x01)
CLEARED_BY_ANOTHER = (0x2f, 0x00)
NO_SUCH_BLOCK = 0xfffffff0
# What the page says where nobody changed it.
DEFAULTS = bytes([0, 0x10, 0, 0, 0, 0, 0xff, 0xff, 0, 0])


class Modes:
    def __init__(self, again, portal1, portal2, target, *control):
        self.ctl = peer.Administrator(control)
        self.a, self.b, self.c = (peer.Peer(letter, portal, target) for letter, portal in
                                  (('a', portal1), ('b', portal1), ('c', portal2)))
        self.all = (self.a, self.b, self.c)
        if not again:
            self.quiet()

    def quiet(self):
        for host in self.all:
            while host.test_unit_ready().attention:     # whatever the interlock
                host.request_sense()

    def set(self, **fields):
        """By A; the others are told, which is judged once and for all in changes_are_told."""
        self.a.change_control(**fields)
        self.quiet()

    def restore(self, save=False):
        self.a.set_control_page(DEFAULTS, save)
        self.ctl.no_faults()
        self.quiet()

    # ---- The page itself ---------------------------------------------------------------------------------------

    def page(self):
        judge('the page is as it was made', self.a.control_page() == DEFAULTS, self.a.control_page().hex())
        judge('its defaults too', self.b.control_page(2) == DEFAULTS, self.b.control_page(2).hex())
        mask = self.c.control_page(1)
        for name in peer.CONTROL:
            judge(name + ' can be changed', peer.field(mask, name) != 0, mask.hex())
        for name, value in (('qerr', 2), ('ua_intlck', 1)):
            page = bytearray(DEFAULTS)
            offset, shift, _ = peer.CONTROL[name]
            page[offset] |= value << shift
            answer = self.a.set_control_page(bytes(page))
            judge('the reserved value %d of %s is refused' % (value, name),
                  answer.sense and (answer.sense.key, answer.sense.code) == (5, (0x26, 0x00)), answer)
        judge('and has changed nothing', self.a.control_page() == DEFAULTS and good(self.b.test_unit_ready()))

    def changes_are_told(self):
        for name, value in (('tst', 1), ('tmf_only', 1), ('dpicz', 1), ('d_sense', 1), ('queue_algorithm', 0),
                            ('qerr', 1), ('qerr', 3), ('swp', 1), ('tas', 1)):
            self.a.change_control(**{name: value})
            seen = [host.attentions() for host in self.all]
            judge('%s %d: the others are told, once' % (name, value),
                  seen == [[], [MODES_CHANGED], [MODES_CHANGED]], seen)
            judge('%s %d: they see it' % (name, value), all(
                peer.field(host.control_page(), name) == value for host in self.all))
            self.a.change_control(**{name: value})
            judge('%s %d again: nobody is told' % (name, value), [h.attentions() for h in self.all] == [[], [], []])
            self.restore()

    # ---- UA_INTLCK_CTRL ----------------------------------------------------------------------------------------

    def no_interlock(self):
        self.b.change_control(tas=1)
        judge('interlock 0: reported once', [self.a.test_unit_ready().attention, self.a.test_unit_ready().attention]
              == [MODES_CHANGED, None])
        self.quiet()
        self.busy_and_conflicts('interlock 0', (None, None, None))
        self.restore()

    def interlock(self):
        self.set(ua_intlck=2)
        self.b.change_control(tas=1)
        seen = [self.a.test_unit_ready().attention for _ in range(3)]
        judge('interlock 2: reported until it is asked for', seen == [MODES_CHANGED] * 3, seen)
        judge('interlock 2: INQUIRY passes it', good(self.a.inquiry()))
        sense = self.a.request_sense()
        judge('interlock 2: REQUEST SENSE gives it', (sense.key, sense.code) == (6, MODES_CHANGED), sense.code)
        judge('interlock 2: and ends it', good(self.a.test_unit_ready()))
        judge('interlock 2: for this initiator alone', self.c.test_unit_ready().attention == MODES_CHANGED)
        self.quiet()
        self.busy_and_conflicts('interlock 2', (None, None, None))
        self.restore()

    def interlock_with_previous_status(self):
        self.set(ua_intlck=3)
        self.busy_and_conflicts('interlock 3', ((0x2c, 0x07), (0x2c, 0x08), (0x2c, 0x09)))
        self.restore()

    def busy_and_conflicts(self, name, expected):
        """What a nexus is told later of a status that said that its command was not done."""
        for status, number, attention in zip(('Busy', 'TaskSetFull'), (peer.BUSY, peer.TASK_SET_FULL), expected):
            self.ctl.fault('one', 'AnswerCommand', '--status', status, '--initiator', self.b.name(), '--count', '1')
            self.told_later('%s: %s' % (name, status), self.b.read(), number, attention)
            self.ctl.no_faults()
        judge(name + ': A reserves', good(self.a.command(bytes([0x16, 0, 0, 0, 0, 0]))))
        conflict = self.b.read()
        judge(name + ': A releases', good(self.a.command(bytes([0x17, 0, 0, 0, 0, 0]))))
        self.told_later(name + ': conflict', conflict, peer.RESERVATION_CONFLICT, expected[2])

    def told_later(self, name, answer, status, attention):
        judge(name + ' is answered', answer.status == status, answer)
        seen = self.b.test_unit_ready().attention
        judge('%s: later %s' % (name, peer.words([attention] if attention else [])), seen == attention, seen)
        if attention:
            sense = self.b.request_sense()
            judge(name + ': until REQUEST SENSE', sense.code == attention and good(self.b.test_unit_ready()),
                  sense.code)
        judge(name + ': nobody else', good(self.c.test_unit_ready()))

    # ---- QERR and TST ------------------------------------------------------------------------------------------

    def qerr(self):
        """B faults while A, B and C each have a command in the task set."""
        for qerr, tst, tas, a, b, c in (
                (0, 0, 0, 'stays', 'stays', 'stays'), (1, 0, 0, 'goes', 'goes', 'goes'),
                (1, 0, 1, 'is told', 'goes', 'is told'), (1, 1, 0, 'stays', 'goes', 'stays'),
                (3, 0, 0, 'stays', 'goes', 'stays'), (3, 1, 1, 'stays', 'goes', 'stays')):
            name = 'qerr %d, tst %d, tas %d' % (qerr, tst, tas)
            self.set(qerr=qerr, tst=tst, tas=tas)
            self.ctl.fault('one', 'DelayCommand', '--delay-ms', '4000', '--count', '3', '--data-only')
            waiting = [host.send_write(10 + n) for n, host in enumerate(self.all)]
            for host in self.all:       # in the task set before the fault
                host.test_unit_ready()
            answer = self.b.read(NO_SUCH_BLOCK)
            judge(name + ': B faults', answer.sense and answer.sense.code == (0x21, 0x00), answer)
            for host, task, expected in zip(self.all, waiting, (a, b, c)):
                self.fate('%s: the command of %s %s' % (name, host.letter.upper(), expected), host, task, expected,
                          told=expected == 'goes' and host is not self.b)
            self.restore()

    def fate(self, name, host, task, expected, told):
        if expected == 'stays':
            judge(name, good(task.wait()), task)
            judge(name + ', nothing is told', good(host.test_unit_ready()))
        elif expected == 'is told':
            judge(name + ' TASK ABORTED', task.wait(10).status == peer.TASK_ABORTED, task)
            judge(name + ', nothing more', good(host.test_unit_ready()))
        else:
            seen = host.attentions()
            judge('%s, %s' % (name, 'it hears' if told else 'it knows'),
                  seen == ([CLEARED_BY_ANOTHER] if told else []), seen)
            judge(name + ': no answer', host.manage(peer.QUERY_TASK, task) == peer.COMPLETE and task.status is None)

    def task_sets(self):
        """TST: whose commands an ORDERED one waits for, and whom an ACA condition stops."""
        for tst in (0, 1):
            self.set(tst=tst)
            self.ctl.fault('one', 'DelayCommand', '--delay-ms', '4000', '--count', '1', '--data-only')
            slow = self.a.send_write(20)
            self.a.test_unit_ready()
            ordered = self.b.write(21, attribute=peer.ORDERED)
            self.a.serve()
            judge('tst %d: an ORDERED command of B %s for A' % (tst, 'does not wait' if tst else 'waits'),
                  good(ordered) and (slow.status is None) == bool(tst), slow)
            judge('tst %d: A goes on' % tst, good(slow.wait()))
            self.ctl.no_faults()
            self.a.read(NO_SUCH_BLOCK, control=peer.NACA)
            judge('tst %d: an ACA condition of A stops A' % tst, self.a.read().status == peer.ACA_ACTIVE)
            seen = self.b.read().status, self.c.read().status
            judge('tst %d: %s' % (tst, 'and nobody else' if tst else 'and the others'),
                  seen == ((GOOD, GOOD) if tst else (peer.BUSY, peer.BUSY)), seen)
            judge('tst %d: until it is cleared' % tst, self.a.manage(peer.CLEAR_ACA) == peer.COMPLETE
                  and all(good(host.read()) for host in self.all))
            self.restore()

    # ---- Order -------------------------------------------------------------------------------------------------

    def queue_algorithm(self):
        """The first of two SIMPLE writes of one block is slow: the second may overtake it, or not."""
        for value in (0, 1):
            self.set(queue_algorithm=value)
            self.ctl.fault('one', 'DelayCommand', '--delay-ms', '4000', '--count', '1', '--data-only',
                           '--initiator', self.a.name())
            first, second = self.a.send_write(30, byte=1), self.a.send_write(30, byte=2)
            beside = self.b.write(31)
            self.a.serve()
            judge('queue algorithm %d: B waits for none of it' % value, good(beside) and first.status is None)
            first.wait(), second.wait()
            last = self.b.read(30).data[:1]
            if value == 0:
                judge('restricted reordering: the last write is the last', last == b'\2' and
                      first.ended_s <= second.ended_s, last)
            else:
                judge('unrestricted reordering: it overtakes', last == b'\1' and first.ended_s > second.ended_s, last)
            self.restore()

    # ---- The other bits ----------------------------------------------------------------------------------------

    def tmf_only(self):
        for value in (0, 1):
            self.set(tmf_only=value)
            self.a.read(NO_SUCH_BLOCK, control=peer.NACA)
            answer = self.a.test_unit_ready(attribute=peer.ACA)
            judge('tmf_only %d: a command with the ACA attribute is %s' % (value, 'refused' if value else 'done'),
                  answer.status == (peer.ACA_ACTIVE if value else GOOD), answer)
            judge('tmf_only %d: CLEAR ACA ends it' % value,
                  self.a.manage(peer.CLEAR_ACA) == peer.COMPLETE and good(self.a.read()))
            self.restore()

    def d_sense(self):
        for value in (1, 0):
            self.set(d_sense=value)
            senses = [host.read(NO_SUCH_BLOCK).sense for host in self.all]
            judge('d_sense %d: the format for all' % value, [sense.has_descriptors for sense in senses] == [value] * 3
                  and all((sense.key, sense.code) == (5, (0x21, 0)) for sense in senses))
            judge('d_sense %d: REQUEST SENSE has its own bit' % value,
                  [self.b.request_sense(descriptors=d).has_descriptors for d in (False, True)] == [False, True])
            self.restore()

    def swp(self):
        good(self.a.write(40, byte=7))
        self.set(swp=1)
        answers = [host.write(40) for host in self.all]
        judge('swp: nobody writes', all(answer.sense and (answer.sense.key, answer.sense.code) == (7, (0x27, 0))
                                        for answer in answers), answers[1])
        judge('swp: everybody reads', all(host.read(40).data[:1] == b'\7' for host in self.all))
        header = self.b.command(bytes([0x1a, 0x08, 0x0a, 0, 64, 0]), read_bytes=64).data
        judge('swp: MODE SENSE says WP', header[2] & 0x80 == 0x80, header.hex())
        self.set(swp=0)
        judge('swp 0: they write', all(good(host.write(40)) for host in self.all))
        self.restore()

    # ---- Reset and restart -------------------------------------------------------------------------------------

    def reset(self):
        """SPC-4 5.9: after a reset the saved values are current, or else the defaults."""
        self.set(d_sense=1, qerr=1, tas=1)
        judge('LUN RESET is complete', self.b.manage(peer.LUN_RESET) == peer.COMPLETE)
        judge('everybody is told of the reset alone', [host.attentions() for host in self.all] == [[RESET]] * 3)
        judge('nothing was saved: the defaults are back', self.c.control_page() == DEFAULTS,
              self.c.control_page().hex())
        self.a.change_control(save=True, d_sense=1, tst=1)
        self.quiet()
        judge('SP: they are the saved values', self.b.control_page(3) == self.b.control_page(), self.b.control_page(3))
        self.set(d_sense=0, tst=0, tas=1)
        judge('without SP they stay the saved ones', peer.field(self.b.control_page(3), 'd_sense') == 1)
        judge('LUN RESET again', self.b.manage(peer.LUN_RESET) == peer.COMPLETE)
        self.quiet()
        page = self.c.control_page()
        judge('the saved values are back', [peer.field(page, name) for name in ('d_sense', 'tst', 'tas')] == [1, 1, 0],
              page.hex())
        judge('and obeyed', self.a.read(NO_SUCH_BLOCK).sense.has_descriptors)
        self.restore(save=True)
        judge('the saved values are what they were', self.b.control_page(3) == DEFAULTS)

    def save(self):
        """For --again."""
        self.a.change_control(save=True, d_sense=1, queue_algorithm=0, swp=1, ua_intlck=2)
        self.set(tas=1)
        judge('saved: all but what came later', peer.field(self.b.control_page(3), 'tas') == 0)

    def after_restart(self):
        senses = [host.test_unit_ready().sense for host in self.all]
        judge('after a restart: power on, in the saved format', all(
            sense and sense.code == POWER_ON and sense.has_descriptors for sense in senses),
            [sense and sense.code for sense in senses])
        judge('the saved interlock holds it', all(host.test_unit_ready().attention == POWER_ON for host in self.all))
        self.quiet()
        page = self.b.control_page()
        judge('the saved values are current', {name: peer.field(page, name) for name in peer.CONTROL} == {
            'tst': 0, 'tmf_only': 0, 'dpicz': 0, 'd_sense': 1, 'queue_algorithm': 0, 'qerr': 0, 'ua_intlck': 2,
            'swp': 1, 'tas': 0}, page.hex())
        judge('the saved write protection is obeyed', self.c.write().sense.key == 7)
        self.restore(save=True)
        judge('the defaults are saved again', self.c.control_page(3) == DEFAULTS and good(self.c.write()))


def main():
    again = sys.argv[1] == '--again'
    modes = Modes(again, *sys.argv[1 + again:])
    peer.run((modes.after_restart,) if again else (
        modes.page, modes.changes_are_told, modes.no_interlock, modes.interlock,
        modes.interlock_with_previous_status, modes.qerr, modes.task_sets, modes.queue_algorithm, modes.tmf_only,
        modes.d_sense, modes.swp, modes.reset, modes.save))
    for host in modes.all:
        host.logout()


if __name__ == '__main__':
    main()
