#!/usr/bin/env python3
"""Idle sessions at a running daemon: what they cost, alone and beside one that works.

usage: crowd.py [--sessions N] [--seconds N] [--load COMMAND] --pid PID ADDRESS:PORT TARGET

Logs in N initiators, each with a name of its own, answers what the target asks them (NOP-In), and reads from /proc what
the daemon takes meanwhile: processor time as a part of one core, and how often its threads woke up. --load is a shell
command (a load generator) that runs during the measurement; without one nothing happens but what the target does by
itself. One line of JSON on standard output.
"""
import argparse
import collections
import glob
import json
import os
import resource
import select
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../tests'))
from iscsi import LOGIN, LOGIN_RESPONSE, NOP_IN, NOP_OUT, header, keys_text, pad  # noqa: E402

TICKS = os.sysconf('SC_CLK_TCK')


class Session:
    def __init__(self, address, target, number):
        self.socket = socket.create_connection(address, 20)
        self.name = 'iqn.2026-11.org.example:crowd%d' % number
        text = keys_text({'InitiatorName': self.name, 'SessionType': 'Normal', 'TargetName': target})
        isid = b'\x80' + number.to_bytes(5, 'big')
        head = header(LOGIN, 0x87, len(text), lun=isid + bytes(2), tag=1, words=(1, 1))
        self.socket.sendall(head + pad(text))
        response = self.exactly(48)
        if response[0] & 0x3f != LOGIN_RESPONSE or response[36] != 0:
            raise SystemExit('%s: login refused: status %02x%02x' % (self.name, response[36], response[37]))
        length = int.from_bytes(response[5:8], 'big')
        self.exactly(length + -length % 4)
        self.status_number = int.from_bytes(response[24:28], 'big') + 1
        self.socket.setblocking(False)
        self.waiting = b''

    def exactly(self, length):
        data = b''
        while len(data) < length:
            part = self.socket.recv(length - len(data))
            if not part:
                raise SystemExit('%s: closed by the target' % self.name)
            data += part
        return data

    def answer(self):
        """How many NOP-In were answered."""
        part = self.socket.recv(65536)
        if not part:
            raise SystemExit('%s: closed by the target' % self.name)
        self.waiting += part
        answered = 0
        while len(self.waiting) >= 48:
            length = int.from_bytes(self.waiting[5:8], 'big')
            whole = 48 + length + -length % 4
            if len(self.waiting) < whole:
                break
            head, self.waiting = self.waiting[:48], self.waiting[whole:]
            if head[0] & 0x3f == NOP_IN and head[20:24] != b'\xff\xff\xff\xff':
                self.socket.send(header(
                    NOP_OUT, 0x80, 0, lun=head[8:16], transfer_tag=head[20:24], words=(1, self.status_number)))
                answered += 1
        return answered


def cpu_seconds(pid):
    fields = open('/proc/%d/stat' % pid).read().rsplit(')', 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def wake_ups(pid):
    """By the thread's name."""
    count = collections.Counter()
    for path in glob.glob('/proc/%d/task/*/status' % pid):
        try:
            rows = dict(row.split(':', 1) for row in open(path) if ':' in row)
        except OSError:
            continue
        count[rows['Name'].strip()] += int(rows['voluntary_ctxt_switches'])
    return count


def cpu_of_threads(pid):
    """Clock ticks by the thread's name."""
    used = collections.Counter()
    for path in glob.glob('/proc/%d/task/*/stat' % pid):
        try:
            name, rest = open(path).read().split('(', 1)[1].rsplit(')', 1)
        except OSError:
            continue
        used[name] += sum(int(field) for field in rest.split()[11:13])
    return used


def resident_kib(pid):
    return int(next(row for row in open('/proc/%d/status' % pid) if row.startswith('VmRSS')).split()[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n', 1)[0])
    parser.add_argument('--sessions', type=int, default=1000)
    parser.add_argument('--seconds', type=float, default=30)
    parser.add_argument('--settle', type=float, default=3, help='seconds between the last login and the measurement')
    parser.add_argument('--load')
    parser.add_argument('--pid', type=int, required=True)
    parser.add_argument('address')
    parser.add_argument('target')
    given = parser.parse_args()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, given.sessions + 100)), hard))
    host, port = given.address.rsplit(':', 1)
    before = resident_kib(given.pid)
    began = time.monotonic()
    sessions = {}
    poll = select.epoll()
    for number in range(given.sessions):
        one = Session((host, int(port)), given.target, number)
        sessions[one.socket.fileno()] = one
        poll.register(one.socket.fileno(), select.EPOLLIN)
        for descriptor, _ in poll.poll(0):
            sessions[descriptor].answer()
    logins = time.monotonic() - began
    answered = 0

    def serve(seconds, until=lambda: False):
        nonlocal answered
        end = time.monotonic() + seconds
        while time.monotonic() < end and not until():
            for descriptor, _ in poll.poll(max(0.001, min(0.2, end - time.monotonic()))):
                answered += sessions[descriptor].answer()

    serve(given.settle)
    load = given.load and subprocess.Popen(given.load, shell=True, stdout=subprocess.PIPE, text=True)
    answered, cpu, woken, start = 0, cpu_seconds(given.pid), wake_ups(given.pid), time.monotonic()
    threads = cpu_of_threads(given.pid)
    serve(given.seconds, (lambda: load.poll() is not None) if load else (lambda: False))
    seconds = time.monotonic() - start
    used, woken = cpu_seconds(given.pid) - cpu, wake_ups(given.pid) - woken
    threads = cpu_of_threads(given.pid) - threads
    result = {
        'sessions': given.sessions, 'seconds': round(seconds, 1), 'logins_per_second': round(given.sessions / logins)
        if given.sessions else 0, 'percent_of_core': round(100 * used / seconds, 2), 'pings_answered': answered,
        'percent_of_core_by_thread': {name: round(100 * ticks / TICKS / seconds, 2)
                                      for name, ticks in threads.most_common() if ticks},
        'wake_ups_per_second': {name: round(count / seconds, 1) for name, count in woken.most_common() if count},
        'resident_kib_per_session': round((resident_kib(given.pid) - before) / max(1, given.sessions), 1)}
    if load:
        result['load'] = load.communicate()[0].strip()
    print(json.dumps(result))


if __name__ == '__main__':
    main()
