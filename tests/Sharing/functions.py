#!/usr/bin/env python3
"""functions.py PORTAL1 PORTAL2 TARGET CONTROL...: every task management function (SAM-5 7, RFC 7143 11.5, RFC 7144),
from one initiator while others have commands under way: the response code, what becomes of whose commands, what the
others are told, with TAS 0 and 1, and that a function of one unit never waits for another unit.

A and B come through one target port, C through another. LUN 0 is unit one, LUN 1 unit two.
"""
import sys
import time

import peer
from peer import COMPLETE, SUCCEEDED, good, judge, words

CLEARED, LUN_WAS_RESET, RESET, NEXUS_LOST = (0x2f, 0x00), (0x29, 0x03), (0x29, 0x00), (0x29, 0x07)
NOWHERE = 99


class Functions:
    def __init__(self, portal1, portal2, target, *control):
        self.ctl = peer.Administrator(control)
        self.portals, self.target = {'a': portal1, 'b': portal1, 'c': portal2}, target
        self.a, self.b, self.c = (peer.Peer(letter, self.portals[letter], target) for letter in 'abc')
        self.quiet()

    @property
    def all(self):
        return self.a, self.b, self.c

    def quiet(self):
        for host in self.all:
            host.attentions(0), host.attentions(1)

    def hang(self, unit, *more):
        """Commands that move data are in the task set and do not end."""
        self.ctl.fault(unit, 'DelayCommand', '--delay-ms', '120000', '--data-only', *more)

    def started(self, *hosts):
        """What these sent has come to the unit."""
        for host in hosts:
            host.test_unit_ready(), host.test_unit_ready(1)

    # ---- One task ---------------------------------------------------------------------------------------------------

    def abort_task(self):
        self.hang('one')
        mine, beside, other = self.a.send_write(1), self.a.send_write(2), self.b.send_write(3)
        self.started(self.a, self.b)
        a = self.a
        judge('ABORT TASK of a task is complete', a.manage(peer.ABORT_TASK, mine) == COMPLETE)
        judge('it is not there any more', a.manage(peer.QUERY_TASK, mine) == COMPLETE and mine.status is None)
        judge('the one beside it is', a.manage(peer.QUERY_TASK, beside) == SUCCEEDED)
        judge("so is the other initiator's", self.b.manage(peer.QUERY_TASK, other) == SUCCEEDED)
        judge('ABORT TASK again: the task does not exist', a.manage(peer.ABORT_TASK, mine) == peer.TASK_DOES_NOT_EXIST)
        judge("another initiator's tag does not exist either",
              a.manage(peer.ABORT_TASK, referenced=(other.tag + 1000, other.number)) == peer.TASK_DOES_NOT_EXIST)
        judge('by the wrong LUN the task does not exist', a.manage(peer.ABORT_TASK, beside, lun=1)
              == peer.TASK_DOES_NOT_EXIST and a.manage(peer.QUERY_TASK, beside) == SUCCEEDED)
        judge('at no LUN: the LUN does not exist', a.manage(peer.ABORT_TASK, beside, lun=NOWHERE)
              == peer.LUN_DOES_NOT_EXIST)
        judge('nobody is told', [host.attentions() for host in self.all] == [[], [], []])
        for host in (self.a, self.b):
            host.manage(peer.ABORT_TASK_SET)
        self.ctl.no_faults()
        self.quiet()

    def abort_task_that_never_came(self):
        """RFC 7143 11.5.1: within the window its CmdSN counts as received, and what comes with it later is not done."""
        a = self.a
        judge('the block is as it was', good(a.write(5, byte=1)))
        missing = a.command_number
        a.command_number += 1
        behind = a.send_write(6)
        a.serve(0.3)
        judge('a command waits for one before it that is missing', behind.status is None)
        answer = a.manage(peer.ABORT_TASK, referenced=(0x7777, missing))
        judge('ABORT TASK of the missing one is complete', answer == COMPLETE, answer)
        judge('the one behind goes on', good(behind.wait()))
        a.send_command(a.write_cdb(5), b'\2' * 512, number=missing)
        judge('what comes late is ignored', a.read(5).data[:1] == b'\1')
        for name, number in (('beyond the window', a.most + 50), ('before the window', a.expected - 5),
                             ('not older than the function', a.command_number)):
            answer = a.manage(peer.ABORT_TASK, referenced=(0x7777, number))
            judge('ABORT TASK of a CmdSN %s: does not exist' % name, answer == peer.TASK_DOES_NOT_EXIST, answer)
        judge('and the session goes on', good(a.write(5)))

    def abort_of_held_data(self):
        """A WRITE whose data has not come: aborted, and its late data is for nobody."""
        a = self.a
        judge('the block is as it was', good(a.write(7, byte=1)))
        write = a.send_write(7, byte=2, withheld=True)
        a.serve_until(lambda: write.asked, 10)
        judge('ABORT TASK of a WRITE that waits for its data is complete', a.manage(peer.ABORT_TASK, write) == COMPLETE)
        a.give(write)
        judge('its data is for nobody', good(a.test_unit_ready()) and a.read(7).data[:1] == b'\1'
              and write.status is None)

    # ---- Task sets --------------------------------------------------------------------------------------------------

    def abort_task_set(self):
        for tas in (0, 1):
            self.a.change_control(tas=tas)
            self.quiet()
            self.hang('one'), self.hang('two')
            mine = [self.a.send_write(n) for n in range(8)]
            elsewhere, other = self.a.send_write(1, lun=1), self.b.send_write(9)
            self.started(self.a, self.b)
            judge('tas %d: ABORT TASK SET is complete' % tas, self.a.manage(peer.ABORT_TASK_SET) == COMPLETE)
            judge('tas %d: none of its own is there, nor answered' % tas,
                  self.a.manage(peer.QUERY_TASK_SET) == COMPLETE and not any(task.status for task in mine))
            judge('tas %d: at the other unit it is' % tas,
                  self.a.manage(peer.QUERY_TASK, elsewhere, lun=1) == SUCCEEDED)
            judge("tas %d: the other initiator's is" % tas, self.b.manage(peer.QUERY_TASK, other) == SUCCEEDED)
            judge('tas %d: nobody is told' % tas, [host.attentions() for host in self.all] == [[], [], []])
            for host in self.all:
                host.manage(peer.ABORT_TASK_SET), host.manage(peer.ABORT_TASK_SET, lun=1)
            self.ctl.no_faults()
        self.a.change_control(tas=0)
        self.quiet()

    def covering_others(self):
        """What takes others' commands: whose, by what they hear of it, and by what unit attention."""
        for name, function, tas, units, told in (
                ('CLEAR TASK SET', peer.CLEAR_TASK_SET, 0, 1, ([], [CLEARED], [])),
                ('CLEAR TASK SET', peer.CLEAR_TASK_SET, 1, 1, ([], [], [])),
                ('LUN RESET', peer.LUN_RESET, 0, 1, ([LUN_WAS_RESET],) * 3),
                ('LUN RESET', peer.LUN_RESET, 1, 1, ([LUN_WAS_RESET],) * 3),
                ('TARGET WARM RESET', peer.TARGET_WARM_RESET, 0, 2, ([RESET],) * 3),
                ('TARGET WARM RESET', peer.TARGET_WARM_RESET, 1, 2, ([RESET],) * 3)):
            name = '%s, tas %d' % (name, tas)
            for lun in (0, 1):
                self.a.lun = lun
                self.a.change_control(tas=tas)
            self.a.lun = 0
            self.quiet()
            self.hang('one'), self.hang('two')
            tasks = [[host.send_write(1, lun=lun) for host in (self.a, self.b)] for lun in (0, 1)]
            self.started(self.a, self.b)
            judge(name + ' is complete', self.a.manage(function) == COMPLETE)
            for lun in (0, 1):
                self.fate(name, lun, tasks[lun], goes=lun < units, tas=tas)
            for host, expected in zip(self.all, told):
                seen = host.attentions(), host.attentions(1)
                judge('%s: %s is told %s' % (name, host.letter.upper(), words(expected)),
                      seen == (expected, expected if units == 2 else []), seen)
            self.ctl.no_faults()
            for host in self.all:
                host.manage(peer.ABORT_TASK_SET), host.manage(peer.ABORT_TASK_SET, lun=1)
        for lun in (0, 1):
            self.a.lun = lun
            self.a.change_control(tas=0)
        self.a.lun = 0
        self.quiet()

    def fate(self, name, lun, tasks, goes, tas):
        mine, other = tasks
        name = '%s: at LUN %d' % (name, lun)
        # TAS is for the commands of other nexuses alone (SAM-5 5.6).
        for host, task, letter, is_told in ((self.a, mine, 'A', False), (self.b, other, 'B', bool(tas))):
            if not goes:
                judge("%s %s's stays" % (name, letter), host.manage(peer.QUERY_TASK, task, lun=lun) == SUCCEEDED)
            elif is_told:
                judge("%s %s's is answered TASK ABORTED" % (name, letter),
                      task.wait(10).status == peer.TASK_ABORTED, task)
            else:
                judge("%s %s's goes without a word" % (name, letter),
                      host.manage(peer.QUERY_TASK, task, lun=lun) == COMPLETE and task.status is None, task)

    def target_cold_reset(self):
        """RFC 7143 11.5.1: the function's response, and then all sessions of the target end."""
        self.hang('one')
        self.b.send_write(1)
        self.started(self.b)
        judge('TARGET COLD RESET is complete', self.a.manage(peer.TARGET_COLD_RESET) == COMPLETE)
        for host in self.all:
            try:
                host.serve_until(lambda: False, 10)
            except peer.Failed:
                pass
            judge('the session of %s ends' % host.letter.upper(), host.closed)
        self.ctl.no_faults()
        self.a, self.b, self.c = (peer.Peer(letter, self.portals[letter], self.target) for letter in 'abc')
        for host in self.all:
            seen = host.attentions()
            judge('%s is told when it comes back' % host.letter.upper(), seen[:1] == [NEXUS_LOST] or
                  seen[:1] == [RESET], words(seen))
        self.quiet()

    # ---- Functions of a nexus, questions ----------------------------------------------------------------------------

    def nexus_reset(self):
        self.hang('one'), self.hang('two', '--initiator', self.a.name())
        mine = [self.a.send_write(1), self.a.send_write(1, lun=1)]
        other = self.b.send_write(2)
        self.started(self.a, self.b)
        judge('A reserves', good(self.a.command(bytes([0x16, 0, 0, 0, 0, 0]), lun=1)))
        judge('B conflicts', self.b.read(lun=1).status == peer.RESERVATION_CONFLICT)
        judge('I_T NEXUS RESET is complete', self.a.manage(peer.I_T_NEXUS_RESET) == COMPLETE)
        judge('all its commands are gone', not any(task.status for task in mine) and
              self.a.manage(peer.QUERY_TASK_SET) == COMPLETE and self.a.manage(peer.QUERY_TASK_SET, lun=1) == COMPLETE)
        judge("the other initiator's are not", self.b.manage(peer.QUERY_TASK, other) == SUCCEEDED)
        seen = [(host.attentions(), host.attentions(1)) for host in self.all]
        judge('it is told of a nexus loss, nobody else of anything',
              seen == [([NEXUS_LOST], [NEXUS_LOST]), ([], []), ([], [])], seen)
        self.ctl.no_faults()
        judge('its reservation is gone', good(self.b.test_unit_ready(1)) and good(self.b.read(lun=1)))
        self.b.manage(peer.ABORT_TASK_SET)
        self.quiet()

    def queries(self):
        a, b = self.a, self.b
        judge('QUERY TASK SET of nothing: complete', a.manage(peer.QUERY_TASK_SET) == COMPLETE)
        self.hang('one')
        task = a.send_write(1)
        self.started(a)
        judge('QUERY TASK SET of something: succeeded', a.manage(peer.QUERY_TASK_SET) == SUCCEEDED)
        judge("of another's: complete", b.manage(peer.QUERY_TASK_SET) == COMPLETE)
        judge('QUERY TASK: succeeded', a.manage(peer.QUERY_TASK, task) == SUCCEEDED)
        judge("QUERY TASK of a tag that is not there: complete", a.manage(peer.QUERY_TASK, referenced=(0x7777, 1))
              == COMPLETE)
        judge('questions at no LUN', [a.manage(function, lun=NOWHERE) for function in (
            peer.QUERY_TASK, peer.QUERY_TASK_SET, peer.QUERY_ASYNCHRONOUS_EVENT)] == [peer.LUN_DOES_NOT_EXIST] * 3)
        judge('none took anything', task.status is None and a.manage(peer.ABORT_TASK, task) == COMPLETE)
        self.ctl.no_faults()

    def query_asynchronous_event(self):
        """SAM-5 7.8: whether a unit attention is pending, and the first of them, which stays."""
        seen = self.b.answer(self.b.send_function(peer.QUERY_ASYNCHRONOUS_EVENT))
        judge('QUERY ASYNCHRONOUS EVENT of nothing: complete', seen[0] == COMPLETE, seen)
        self.a.change_control(tas=1)
        seen = self.b.answer(self.b.send_function(peer.QUERY_ASYNCHRONOUS_EVENT))
        judge('of one: succeeded, with it', seen == (SUCCEEDED, (0x16, 0x2a, 0x01)), seen)
        self.ctl('resize', 'one', '80MiB')
        seen = self.b.answer(self.b.send_function(peer.QUERY_ASYNCHRONOUS_EVENT))
        judge('of two: with the first, and that there are more', seen == (SUCCEEDED, (0x26, 0x2a, 0x01)), seen)
        seen = self.b.attentions()
        judge('both are still pending', seen == [(0x2a, 0x01), (0x2a, 0x09)], words(seen))
        self.ctl('resize', 'one', '64MiB', '--force')
        self.quiet()
        self.a.change_control(tas=0)
        self.quiet()

    def not_offered(self):
        judge('TASK REASSIGN: reassignment is not supported',
              self.a.manage(peer.TASK_REASSIGN, referenced=(0x7777, 1)) == peer.REASSIGNMENT_NOT_SUPPORTED)
        for function in (0, 13, 127):
            answer = self.a.manage(function)
            judge('function %d is not supported' % function, answer == peer.NOT_SUPPORTED, answer)
        old = peer.Peer('old', self.portals['a'], self.target, iSCSIProtocolLevel='1')
        for function in (peer.QUERY_TASK, peer.QUERY_TASK_SET, peer.I_T_NEXUS_RESET, peer.QUERY_ASYNCHRONOUS_EVENT):
            answer = old.manage(function)
            judge('function %d at iSCSIProtocolLevel 1 is not supported' % function, answer == peer.NOT_SUPPORTED,
                  answer)
        old.logout()
        for function in (peer.ABORT_TASK_SET, peer.CLEAR_ACA, peer.CLEAR_TASK_SET, peer.LUN_RESET):
            answer = self.a.manage(function, lun=NOWHERE)
            judge('function %d at no LUN: the LUN does not exist' % function, answer == peer.LUN_DOES_NOT_EXIST, answer)
        judge('the others notice nothing', [host.attentions() for host in self.all] == [[], [], []])

    # ---- Order ------------------------------------------------------------------------------------------------------

    def older_commands_alone(self):
        """RFC 7143 11.5.1: a function covers what has an older CmdSN, and an immediate one waits for what it has
        overtaken."""
        a = self.a
        self.hang('one', '--count', '2')
        older = a.send_write(1)
        missing = a.command_number
        a.command_number += 1
        tag = a.send_function(peer.ABORT_TASK_SET)
        a.serve(0.5)
        judge('an immediate ABORT TASK SET waits for a command that is missing', tag not in a.responses)
        late = a.send_command(a.write_cdb(2), b'\1' * 512, number=missing)
        judge('it is complete when that has come', a.answer(tag)[0] == COMPLETE)
        judge('both are gone', [a.manage(peer.QUERY_TASK, task) for task in (older, late)] == [COMPLETE] * 2 and
              older.status is None and late.status is None)
        self.ctl.no_faults()
        number = a.command_number
        a.command_number += 2
        newer = a.send_command(a.write_cdb(3), b'\3' * 512, number=number + 1)
        tag = a.send_function(peer.ABORT_TASK_SET, immediate=False, number=number)
        judge('a numbered function does not cover what is newer', a.answer(tag)[0] == COMPLETE and good(newer.wait()))

    # ---- Slowness is the unit's own ---------------------------------------------------------------------------------

    def never_waits_for_another_unit(self):
        """Unit one's store takes 10 s for each command; functions of unit two are answered at once. A function of unit
        one is answered when its store has let go, and what it covered has not landed later."""
        a, b = self.a, self.b
        judge('the blocks are as they were', good(a.write(70, 4, byte=1)) and good(a.write(70, lun=1)))
        self.ctl.fault('one', 'SlowStore', '--delay-ms', '10000')
        slow = [a.send_write(70 + n, byte=2) for n in range(2)] + [b.send_write(72, byte=2)]
        a.idle(0.3), b.idle(0.3)
        begin = time.monotonic()
        answers = [host.manage(function, lun=1) for host in self.all for function in (
            peer.ABORT_TASK_SET, peer.CLEAR_TASK_SET, peer.CLEAR_ACA, peer.LUN_RESET, peer.QUERY_TASK_SET,
            peer.QUERY_ASYNCHRONOUS_EVENT)]
        taken = time.monotonic() - begin
        judge('eighteen functions of unit two are answered while unit one is slow',
              set(answers) <= {COMPLETE, SUCCEEDED} and taken < 7 and slow[0].status is None,
              '%s in %.1f s' % (answers, taken))
        for host in self.all:
            host.attentions(1)
        judge('and its commands', good(b.write(70, lun=1)) and good(b.read(70, lun=1)))
        waiting = a.send_function(peer.CLEAR_TASK_SET)
        judge('also while one of unit one waits', b.manage(peer.LUN_RESET, lun=1) == COMPLETE and
              waiting not in a.responses)
        judge('that one is complete', a.answer(waiting)[0] == COMPLETE)
        answered_s = time.monotonic()
        self.ctl.no_faults()
        self.quiet()
        first = self.c.read(70, 4).data
        for host in self.all:
            host.idle(3.7)
        judge('nothing lands after its answer', self.c.read(70, 4).data == first)
        judge('and nobody gets a late answer', not any(task.status == peer.GOOD and task.ended_s > answered_s
                                                       for task in slow))
        self.quiet()

    def frozen(self):
        """SAM-5 7: a frozen unit answers functions as well."""
        self.ctl('freeze', 'one')
        tasks = [self.a.send_write(80), self.b.send_write(81)]
        self.a.serve(0.3), self.b.serve(0.3)
        judge('ABORT TASK SET of a frozen unit is complete', self.a.manage(peer.ABORT_TASK_SET) == COMPLETE)
        judge('LUN RESET of a frozen unit is complete', self.c.manage(peer.LUN_RESET) == COMPLETE)
        self.ctl('thaw', 'one')
        seen = [host.attentions() for host in self.all]
        judge('everybody is told when it thaws', seen == [[LUN_WAS_RESET]] * 3, seen)
        judge('none of the commands was done', not any(task.status is not None for task in tasks))


def main():
    functions = Functions(*sys.argv[1:])
    peer.run((functions.abort_task, functions.abort_task_that_never_came, functions.abort_of_held_data,
              functions.abort_task_set, functions.covering_others, functions.nexus_reset, functions.queries,
              functions.query_asynchronous_event, functions.not_offered, functions.older_commands_alone,
              functions.never_waits_for_another_unit, functions.frozen, functions.target_cold_reset))
    for host in functions.all:
        host.logout()


if __name__ == '__main__':
    main()
