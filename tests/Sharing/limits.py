#!/usr/bin/env python3
"""limits.py PORTAL TARGET CONTROL...: rate limits of devices and groups, under load.

The target's units: LUN 0 has a limit of commands, LUN 1 of bytes, LUN 2 none; A and B belong to a group with limits
of its own, C, D and E to none. What is done in each window of 3 s is held against the limit.
"""
import select
import sys
import time

import peer
from peer import judge

UNIT_IOPS, UNIT_BYTES, GROUP_IOPS, GROUP_BYTES = 400, 8 << 20, 300, 6 << 20
WINDOW_S = 3
TOLERANCE = 0.15
TRIES = 3
# Of a window, so much without a processor is too much.
STARVED_PART = 0.1


class Load:
    """One initiator that keeps so many commands under way."""

    def __init__(self, host, depth, blocks=8, lun=0, writes=False):
        self.host, self.depth, self.blocks, self.lun, self.writes = host, depth, blocks, lun, writes
        self.ended = []     # when
        self.bad, self.slowest_s = 0, 0

    def top_up(self):
        host = self.host
        while len(host.tasks) < self.depth and host.most >= host.command_number:
            if self.writes:
                host.send_write(0, self.blocks, lun=self.lun)
            else:
                host.send_read(0, self.blocks, lun=self.lun)

    def step(self):
        before = dict(self.host.tasks)
        self.host.serve()
        for tag, task in before.items():
            if tag not in self.host.tasks:
                self.ended.append(task.ended_s)
                self.bad += task.status != peer.GOOD
                self.slowest_s = max(self.slowest_s, task.ended_s - task.sent_s)
        self.top_up()

    def done(self, begin, seconds):
        return sum(begin <= at < begin + seconds for at in self.ended)


def work(loads, idle):
    """-> what each load has done a second. Idle ones answer pings."""
    by_socket = {host.socket: Load(host, 0) for host in idle}
    by_socket.update((load.host.socket, load) for load in loads)
    for load in loads:
        load.top_up()
    # What was not used before may be used at once: it is not of the rate.
    begin = time.monotonic() + 0.7
    end = begin + WINDOW_S
    while (now := time.monotonic()) < end:
        for socket in select.select(list(by_socket), [], [], end - now)[0]:
            by_socket[socket].step()
    for load in loads:
        load.depth = 0
    end = time.monotonic() + 60
    while any(load.host.tasks for load in loads) and time.monotonic() < end:
        for socket in select.select(list(by_socket), [], [], 0.5)[0]:
            by_socket[socket].step()
    return [load.done(begin, WINDOW_S) / WINDOW_S for load in loads]


def starved_s():
    """How long this process has waited for a processor since it began."""
    return int(open('/proc/self/schedstat').read().split()[1]) / 1e9


def near(value, expected):
    return abs(value - expected) <= TOLERANCE * expected


class Limits:
    def __init__(self, portal, target, *control):
        self.ctl = peer.Administrator(control)
        self.hosts = {letter: peer.Peer(letter, portal, target) for letter in 'abcde'}
        for host in self.hosts.values():
            for lun in (0, 1, 2):
                host.attentions(lun)

    def measure(self, loads, is_right):
        """-> the rates of a window in which they are right, or else of the last one; and whether this process had the
        processors to measure at all: an initiator that does not run does not use what it may."""
        had_processor = False
        depths = [load.depth for load in loads]
        for _ in range(TRIES):
            for load, depth in zip(loads, depths):
                load.depth, load.ended = depth, []
            waited = starved_s()
            seen = work(loads, self.hosts.values())
            if is_right(seen):
                return seen, True
            had_processor |= starved_s() - waited < STARVED_PART * WINDOW_S
        return seen, had_processor

    def rates(self, name, loads, is_right):
        seen, had_processor = self.measure(loads, is_right)
        if not is_right(seen) and not had_processor:
            print('SKIP %s: this machine has too much else to do' % name)
        else:
            judge(name, is_right(seen), ', '.join('%.0f' % rate for rate in seen))
        judge(name + ': no command fails', not any(load.bad for load in loads))
        return seen

    def total(self, name, loads, expected, each=1, is_right=lambda seen: True):
        """The sum of all loads, in units of each bytes a command, is the limit."""
        return self.rates('%s: %d a second' % (name, expected), loads,
                          lambda seen: near(sum(seen) * each, expected) and is_right(seen))

    def unit(self):
        c, d, e = (self.hosts[letter] for letter in 'cde')
        self.total('unit, iops, depth 64', [Load(c, 64)], UNIT_IOPS)
        self.total('unit, iops, depth 1', [Load(c, 1)], UNIT_IOPS)
        self.total('unit, iops, writes', [Load(c, 16, writes=True)], UNIT_IOPS)
        self.total('unit, iops, three initiators', [Load(c, 16), Load(d, 16), Load(e, 16)], UNIT_IOPS)
        for blocks in (8, 128, 1024):
            self.total('unit, bandwidth, %d KiB' % (blocks // 2), [Load(c, 32, blocks, lun=1)], UNIT_BYTES,
                       512 * blocks)
        self.total('unit, bandwidth, writes', [Load(c, 8, 128, lun=1, writes=True)], UNIT_BYTES, 512 * 128)

    def group(self):
        a, b = self.hosts['a'], self.hosts['b']
        self.total('group, iops', [Load(a, 32, lun=2)], GROUP_IOPS)
        self.total('group, iops, both initiators, other units', [Load(a, 32, lun=2), Load(b, 32)], GROUP_IOPS)
        self.total('group, bandwidth', [Load(a, 32, 128, lun=2)], GROUP_BYTES, 512 * 128)
        # A unit's limit and a group's: what is outside the group has the rest of the unit.
        self.total('unit, members and others, and the group has no more than its limit',
                   [Load(a, 32), Load(self.hosts['c'], 32)], UNIT_IOPS,
                   is_right=lambda seen: seen[0] <= GROUP_IOPS * (1 + TOLERANCE))

    def without(self):
        self.rates('no limit, none of a limit', [Load(self.hosts['c'], 16, lun=2)],
                   lambda seen: seen[0] > 1.5 * UNIT_IOPS)
        self.rates('who waits for a limit does not hold up the unit beside',
                   [Load(self.hosts['c'], 64), Load(self.hosts['d'], 4, lun=2)],
                   lambda seen: near(seen[0], UNIT_IOPS) and seen[1] > 1.5 * UNIT_IOPS)

    def fair(self):
        """One queues 64, the other 1: half each."""
        for x, y in (('c', 'd'), ('c', 'e'), ('d', 'e')):
            deep, shallow = Load(self.hosts[x], 64), Load(self.hosts[y], 1)
            self.total('unit, %s queues 64 and %s 1, half each' % (x.upper(), y.upper()), [deep, shallow], UNIT_IOPS,
                       is_right=lambda seen: near(seen[1], UNIT_IOPS / 2))
            judge('who queues 1 waits less', shallow.slowest_s < deep.slowest_s,
                  '%.3f s, %.3f s' % (shallow.slowest_s, deep.slowest_s))
        self.total('group, A queues 64 and B 1, half each',
                   [Load(self.hosts['a'], 64, lun=2), Load(self.hosts['b'], 1, lun=2)], GROUP_IOPS,
                   is_right=lambda seen: near(seen[1], GROUP_IOPS / 2))
        self.total('unit, 64, 8 and 1, a third each',
                   [Load(self.hosts['c'], 64), Load(self.hosts['d'], 8), Load(self.hosts['e'], 1)], UNIT_IOPS,
                   is_right=lambda seen: all(near(rate, UNIT_IOPS / 3) for rate in seen))
        self.rates('bandwidth, 64 KiB and 4 KiB, half of the bytes each',
                   [Load(self.hosts['c'], 16, 128, lun=1), Load(self.hosts['d'], 64, 8, lun=1)],
                   lambda seen: all(near(rate * 512 * blocks, UNIT_BYTES / 2)
                                    for rate, blocks in zip(seen, (128, 8))))

    def ended_while_waiting(self):
        """What waits for a limit can be aborted, and costs nothing then."""
        c = self.hosts['c']
        tasks = [c.send_read(0, 8) for _ in range(100)]
        begin = time.monotonic()
        judge('ABORT TASK SET of what waits is complete at once', c.manage(peer.ABORT_TASK_SET) == peer.COMPLETE and
              time.monotonic() - begin < 1)
        left = [task for task in tasks if task.status is None]
        judge('there was something', len(left) > 20, len(left))
        for task in left:
            c.tasks.pop(task.tag, None)
        self.total('the limit is what it was', [Load(c, 8)], UNIT_IOPS)


def main():
    limits = Limits(*sys.argv[1:])
    peer.run((limits.unit, limits.group, limits.without, limits.fair, limits.ended_while_waiting))
    for host in limits.hosts.values():
        host.logout()


if __name__ == '__main__':
    main()
