#!/usr/bin/env python3
"""Kills the daemon while persistent reservations change, and looks what it remembers.

usage: kills.py [--kills N] [--seed N] [--trace FILE] ADDRESS:PORT TARGET COMMAND...

COMMAND starts the daemon. Three initiators send PERSISTENT RESERVE OUT commands two at a time. At a moment of chance,
often with both in flight, the daemon is killed (SIGKILL) and started again. What it then reports must be what a model
says: every command that was answered has been done; one that was not has been done or not; nothing else is there. The
model keeps every state that is possible, and what is found narrows them to one. A wrong status is found out too.

The last line of standard output is "N kills, N commands, N in flight, N violations"; the status is 1 if there was one.
"""
import argparse
import itertools
import os
import random
import signal
import socket
import struct
import subprocess
import sys
import time

sys.path.insert(0, __file__.rsplit('/', 2)[0])
from iscsi import DATA_IN, SCSI_RESPONSE, Connection, Pdu  # noqa: E402

GOOD, CHECK, CONFLICT = 0x00, 0x02, 0x18
UNIT_ATTENTION = 6
REGISTER, RESERVE, RELEASE, CLEAR, PREEMPT, PREEMPT_AND_ABORT, REGISTER_AND_IGNORE = 0, 1, 2, 3, 4, 5, 6
TYPES = (1, 3, 5, 6, 7, 8)
ALL_REGISTRANTS = (7, 8)
NAMES = tuple('iqn.2026-11.io.scstd.test:host%d' % n for n in range(3))
START_SECONDS = 60


class State:
    """Registrations, reservation, APTPL: an immutable value."""

    def __init__(self, keys=(), kind=0, holder=None, persists=False):
        self.keys, self.kind, self.holder = tuple(sorted(dict(keys).items())), kind, holder
        self.persists = persists and bool(self.keys)

    def value(self):
        return self.keys, self.kind, self.holder, self.persists

    def __eq__(self, other):
        return self.value() == other.value()

    def __hash__(self):
        return hash(self.value())

    def __repr__(self):
        return 'keys %s, type %d of %s, APTPL %d' % (
            {name: '%x' % key for name, key in self.keys}, self.kind, self.holder, self.persists)

    def holds(self, who):
        return self.kind in ALL_REGISTRANTS and who in dict(self.keys) or (self.kind and self.holder == who)

    def after_power_on(self):
        return self if self.persists else State()


def carry_out(state, who, action, kind, key, new_key, persists):
    """-> status, state: SPC-4 section 5.13"""
    keys = dict(state.keys)
    if action in (REGISTER, REGISTER_AND_IGNORE):
        if action == REGISTER and key != keys.get(who, 0):
            return CONFLICT, state
        if new_key:
            return GOOD, State({**keys, who: new_key}, state.kind, state.holder, persists)
        if who not in keys:
            return GOOD, state
        del keys[who]
        ends = not keys if state.kind in ALL_REGISTRANTS else state.holder == who
        return GOOD, State(keys, 0 if ends else state.kind, None if ends else state.holder, persists)
    if keys.get(who) != key:
        return CONFLICT, state
    if action == RESERVE:
        if state.kind:
            return (GOOD if state.holds(who) and kind == state.kind else CONFLICT), state
        return GOOD, reserved(state, keys, kind, who)
    if action == RELEASE:
        if not state.holds(who):
            return GOOD, state
        return (GOOD, State(keys, 0, None, state.persists)) if kind == state.kind else (CHECK, state)
    if action == CLEAR:
        return GOOD, State()
    return preempt(state, keys, who, kind, new_key)


def preempt(state, keys, who, kind, victim):
    everybody = state.kind in ALL_REGISTRANTS
    if state.kind and (not victim if everybody else keys.get(state.holder) == victim):
        left = {name: key for name, key in keys.items() if name == who or not (everybody or key == victim)}
        return GOOD, reserved(state, left, kind, who)
    if not victim:
        return CHECK, state
    left = {name: key for name, key in keys.items() if key != victim}
    if left == keys:
        return CONFLICT, state
    return GOOD, State(left, state.kind if left else 0, state.holder if left else None, state.persists)


def reserved(state, keys, kind, who):
    return State(keys, kind, None if kind in ALL_REGISTRANTS else who, state.persists)


def outcomes(states, commands, statuses):
    """Every state that two commands at the same time can leave. A status of None: none came, so it may have been done
    or not; CHECK with a unit attention (given as UNIT_ATTENTION): it was not done."""
    found = set()
    for state, order in itertools.product(states, itertools.permutations(range(len(commands)))):
        paths = [state]
        for index in order:
            step = []
            for now in paths:
                if statuses[index] in (None, UNIT_ATTENTION):
                    step.append(now)
                if statuses[index] != UNIT_ATTENTION:
                    status, then = carry_out(now, *commands[index])
                    if statuses[index] in (None, status):
                        step.append(then)
            paths = step
        found.update(paths)
    return found


class Initiator:
    def __init__(self, name, address, target):
        self.name = name
        self.connection = Connection(address, 10)
        answer = self.connection.login({'InitiatorName': name, 'TargetName': target, 'SessionType': 'Normal'})
        if not isinstance(answer, Pdu) or answer.head[36] != 0:
            raise ConnectionError('no login: %s' % answer)

    def send(self, action, kind, key, new_key, persists):
        cdb = struct.pack('>BBBxxIx', 0x5f, action, kind, 24)
        data = struct.pack('>QQ4xB3x', key, new_key, persists)
        return self.connection.command(cdb, flags=0x20, length=24, data=data)

    def answer(self, tag):
        """-> status or None, data; a unit attention is UNIT_ATTENTION"""
        data = b''
        while True:
            try:
                pdu = self.connection.receive()
            except OSError:
                return None, data
            if not isinstance(pdu, Pdu):
                return None, data
            if struct.unpack('>I', pdu.head[16:20])[0] != tag:
                continue
            if pdu.opcode == DATA_IN:
                data += pdu.data
                if not pdu.head[1] & 1:
                    continue
                return pdu.head[3], data
            if pdu.opcode == SCSI_RESPONSE:
                if pdu.head[3] == CHECK and len(pdu.data) > 4 and pdu.data[4] & 15 == UNIT_ATTENTION:
                    return UNIT_ATTENTION, data
                return pdu.head[3], data

    def ask(self, cdb, length):
        """-> data, past the unit attentions"""
        while True:
            status, data = self.answer(self.connection.command(cdb, flags=0x40 if length else 0, length=length))
            if status == GOOD:
                return data
            if status != UNIT_ATTENTION:
                raise ConnectionError('%s of %s is answered by %s' % (cdb.hex(), self.name, status))

    def reported(self):
        """-> keys, type, holder, as READ FULL STATUS has them"""
        data = self.ask(struct.pack('>BB5xHx', 0x5e, 3, 8192), 8192)
        length = struct.unpack('>I', data[4:8])[0]
        keys, kind, holder, at = {}, 0, None, 8
        while at < 8 + length:
            key, flags, scope_type, more = struct.unpack('>Q4xBB6xI', data[at:at + 24])
            name = data[at + 28:at + 24 + more].split(b',')[0].decode()
            if name in keys:
                raise ConnectionError('%s is registered twice' % name)
            keys[name] = key
            if flags & 1:
                kind = scope_type
                holder = None if kind in ALL_REGISTRANTS else name
            at += 24 + more
        return State(keys, kind, holder, True).value()[:3]

    def persists(self):
        return bool(self.ask(struct.pack('>BB5xHx', 0x5e, 2, 8), 8)[3] & 1)


class Trial:
    def __init__(self, options):
        host, port = options.address.rsplit(':', 1)
        self.address, self.options = (host, int(port)), options
        self.luck = random.Random(options.seed)
        self.possible = {State()}
        self.commands = self.in_flight = self.violations = 0
        self.trace = open(options.trace, 'w') if options.trace else None

    def note(self, *words):
        if self.trace:
            print(*words, file=self.trace, flush=True)

    def violation(self, what):
        self.violations += 1
        print('VIOLATION', what, flush=True)
        self.note('VIOLATION', what)

    def run(self):
        for kill in range(1, self.options.kills + 1):
            daemon = subprocess.Popen(self.options.command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            try:
                if not self.one_life(daemon, kill):
                    break
            finally:
                if daemon.poll() is None:
                    os.kill(daemon.pid, signal.SIGKILL)
                daemon.wait()
        print('%d kills, %d commands, %d in flight, %d violations' % (
            kill, self.commands, self.in_flight, self.violations))
        return 1 if self.violations else 0

    def one_life(self, daemon, kill):
        initiators = self.log_in(daemon)
        if initiators is None:
            self.violation('kill %d: the daemon does not serve again (status %s)' % (kill, daemon.poll()))
            return False
        self.possible = {state.after_power_on() for state in self.possible}
        if not self.narrow(initiators, 'kill %d: after the restart' % (kill - 1)):
            return False
        steps = self.luck.randrange(8)
        for step in range(steps + 1):
            last = step == steps
            statuses, commands = self.two_at_once(initiators, daemon if last else None)
            after = outcomes(self.possible, commands, statuses)
            self.note('kill %d' % kill, commands, statuses, '->', after)
            if not after:
                self.violation('kill %d: %s were answered %s in %s' % (kill, commands, statuses, self.possible))
                after = outcomes(self.possible, commands, [None] * len(commands))
            self.possible = after
            if not last and not self.narrow(initiators, 'kill %d: between' % kill):
                return False
        for initiator in initiators:
            initiator.connection.socket.close()
        return True

    def log_in(self, daemon):
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and daemon.poll() is None:
            try:
                initiators = [Initiator(name, self.address, self.options.target) for name in NAMES]
                for initiator in initiators:
                    initiator.ask(bytes(6), 0)
                return initiators
            except (ConnectionError, socket.timeout, OSError):
                time.sleep(0.02)
        return None

    def narrow(self, initiators, when):
        found = initiators[0].reported()
        self.possible = {state for state in self.possible if state.value()[:3] == found}
        persists = initiators[0].persists()
        self.possible = {state for state in self.possible if state.persists == persists}
        if not self.possible:
            self.violation('%s the daemon reports %s, APTPL %s, which nothing explains' % (when, found, persists))
            return False
        for initiator in initiators:
            initiator.ask(bytes(6), 0)
        return True

    def two_at_once(self, initiators, daemon):
        """Sends two commands at once and, with a daemon, kills it a moment later. -> statuses, commands"""
        pair = self.luck.sample(initiators, 2)
        state = self.luck.choice(sorted(self.possible, key=repr))
        wishes = [self.wish(state, initiator.name) for initiator in pair]
        self.commands += len(pair)
        if not daemon and any(wish[0] == PREEMPT_AND_ABORT for wish in wishes):
            # It may abort the other one, which then gets no answer at all: one after the other.
            statuses = [initiator.answer(initiator.send(*wish))[0] for initiator, wish in zip(pair, wishes)]
            return statuses, [(initiator.name, *wish) for initiator, wish in zip(pair, wishes)]
        tags = [initiator.send(*wish) for initiator, wish in zip(pair, wishes)]
        if daemon:
            # A save takes about a millisecond on a good disk: within it, and before and after.
            time.sleep(self.luck.random() * self.luck.choice((0, 0.001, 0.004)))
            os.kill(daemon.pid, signal.SIGKILL)
        statuses = [initiator.answer(tag)[0] for initiator, tag in zip(pair, tags)]
        if daemon:
            self.in_flight += statuses.count(None)
        elif None in statuses:
            self.violation('a command is not answered: %s' % wishes)
        return statuses, [(initiator.name, *wish) for initiator, wish in zip(pair, wishes)]

    def wish(self, state, who):
        """-> action, type, key, new key, APTPL: mostly what is possible"""
        keys = dict(state.keys)
        action = self.luck.choice((REGISTER, REGISTER_AND_IGNORE, REGISTER_AND_IGNORE, RESERVE, RESERVE, RELEASE,
                                   PREEMPT, PREEMPT_AND_ABORT, CLEAR))
        if who not in keys and self.luck.random() < 0.8:
            action = REGISTER_AND_IGNORE
        if action == CLEAR and self.luck.random() < 0.5:
            action = RESERVE
        kind = state.kind if action == RELEASE and state.kind else self.luck.choice(TYPES)
        new_key = 0
        if action in (REGISTER, REGISTER_AND_IGNORE):
            new_key = 0 if self.luck.random() < 0.2 else self.luck.randrange(1, 1 << 64)
        elif action in (PREEMPT, PREEMPT_AND_ABORT):
            new_key = self.luck.choice([*keys.values(), 0])
        return action, kind, keys.get(who, 0), new_key, int(self.luck.random() < 0.9)


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument('--kills', type=int, default=100)
    parser.add_argument('--seed', type=int, default=int(time.time()))
    parser.add_argument('--trace')
    parser.add_argument('address')
    parser.add_argument('target')
    parser.add_argument('command', nargs=argparse.REMAINDER)
    options = parser.parse_args()
    print('seed', options.seed, flush=True)
    return Trial(options).run()


if __name__ == '__main__':
    sys.exit(main())
