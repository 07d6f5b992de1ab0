#!/usr/bin/env python3
"""moving.py SCSTD FOLDER: sessions are sent from reactor to reactor while they work. Builds the load generator, starts
daemons of its own on a free port of the loopback, by io_uring and by epoll, and prints PASS and FAIL lines.
"""
import glob
import json
import os
import re
import socket
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..'))
import libiscsi as iscsi  # noqa: E402

TARGET = 'iqn.2026-11.io.scstd.test:moving'
NAME = 'iqn.2026-11.io.scstd.test:mover-'
LOAD_SECONDS = 3
RESERVE = bytes((0x16, 0, 0, 0, 0, 0))
failures = 0


def judge(name, holds, detail=''):
    global failures
    if holds:
        print('PASS', name)
    else:
        failures += 1
        print('FAIL %s: %s' % (name, str(detail).replace('\n', ' | ')))
    sys.stdout.flush()


class Daemon:
    """One that does everything by one of the kernel's interfaces."""

    def __init__(self, program, folder, interface):
        listener = socket.socket()
        listener.bind(('127.0.0.1', 0))
        self.port = listener.getsockname()[1]
        listener.close()
        path, config = os.path.join(folder, 'moving.sock'), os.path.join(folder, 'moving.yaml')
        with open(config, 'w', encoding='utf-8') as file:
            file.write('''control: {socket: %s}
state_directory: none
reactors: {count: 2, io: %s, move_sessions: false}
devices:
  memory: {store: memory, size: 64MiB}
  file: {store: file, path: moving.disk, size: 64MiB, io: buffered}
portals: {all: "127.0.0.1:%d"}
targets:
  %s: {luns: {0: memory, 1: file}}
''' % (path, interface, self.port, TARGET))
        self.process = subprocess.Popen([program, '--config', config], stdout=subprocess.PIPE,
                                        stderr=open(os.path.join(folder, 'moving.log'), 'ab'))
        self.process.stdout.readline()
        control = socket.socket(socket.AF_UNIX)
        control.connect(path)
        self.control = control.makefile('rw', encoding='utf-8')
        self.control.readline()     # who speaks

    def ask(self, **request):
        self.control.write(json.dumps(request) + '\n')
        self.control.flush()
        return json.loads(self.control.readline())

    def sessions(self):
        return self.ask(command='sessions')['sessions']

    def move(self, session):
        return self.ask(command='move', session=session['id'], reactor=1 - session['reactor'])

    def move_host(self, name):
        return self.move([one for one in self.sessions() if one['initiator'] == NAME + name][0])

    def stop(self):
        self.process.kill()
        self.process.wait()


def load(program, daemon, lun, *options):
    return subprocess.Popen([program, '--verify', *options,
                             'iscsi://127.0.0.1:%d/%s/%d' % (daemon.port, TARGET, lun)],
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def under_load(program, daemon, lun, what, *options):
    load(program, daemon, lun, '-m', 'seqwrite', '-b', '64k', '--once').communicate(timeout=60)
    process = load(program, daemon, lun, '-m', 'randrw', '-c', '4', '-W', '0.2', '-t', str(LOAD_SECONDS), *options)
    moved = stayed = 0
    while process.poll() is None:
        for session in daemon.sessions():
            answer = daemon.move(session)
            moved += answer.get('hasMoved') is True
            stayed += answer.get('hasMoved') is False
        time.sleep(0.005)
    said = process.communicate(timeout=60)[0]
    checked = re.search(r'(\d+) sectors checked, (\d+) blank, (\d+) BAD', said)
    judge('%s: what was written is read, while sessions move' % what,
          process.returncode == 0 and checked and int(checked[1]) > 1000 and checked[2] == checked[3] == '0', said)
    # One at the most is caught by its end.
    judge('%s: and they do move' % what, moved >= 20 and stayed <= 4, '%d moved, %d stayed' % (moved, stayed))


def kept_state(daemon, what):
    holder = iscsi.Initiator(NAME + 'holder', '127.0.0.1:%d' % daemon.port, TARGET, 0)
    other = iscsi.Initiator(NAME + 'other', '127.0.0.1:%d' % daemon.port, TARGET, 0)
    for one in (holder, other):
        while one.command(bytes(6)).status == iscsi.CHECK_CONDITION:
            pass
    holder.command(RESERVE)
    other.manage(iscsi.LUN_RESET)
    holder_moves, other_moves = daemon.move_host('holder'), daemon.move_host('other')
    judge('%s: idle sessions move at once' % what, holder_moves['hasMoved'] and other_moves['hasMoved'],
          (holder_moves, other_moves))
    told = [holder.command(bytes(6)), other.command(bytes(6))]
    judge('%s: what was pending is told where they are now' % what,
          all(one.status == iscsi.CHECK_CONDITION for one in told), told)
    judge('%s: once' % what, holder.command(bytes(6)).status == other.command(bytes(6)).status == iscsi.GOOD)
    holder.command(RESERVE)
    daemon.move_host('other')
    daemon.move_host('holder')
    answers = [holder.command(bytes(6)).status, other.command(bytes(6)).status]
    judge('%s: a reservation holds on every reactor' % what,
          answers == [iscsi.GOOD, iscsi.RESERVATION_CONFLICT], answers)
    history = daemon.ask(command='history', session=NAME + 'holder')
    judge('%s: the history tells where it went' % what, 'goes to reactor' in str(history), history)
    holder.logout()
    judge('%s: and ends with its holder' % what, other.command(bytes(6)).status == iscsi.GOOD)
    other.logout()


def main():
    program, folder = sys.argv[1:3]
    generator = os.path.join(folder, 'iscsi-load')
    sources = glob.glob(os.path.join(HERE, '../../benchmarks/peers/load/*.c'))
    subprocess.run(['gcc', '-std=gnu11', '-O2', '-o', generator, *sources], check=True)
    for interface in 'io_uring', 'epoll':
        daemon = Daemon(program, folder, interface)
        try:
            under_load(generator, daemon, 0, interface + ', memory')
            under_load(generator, daemon, 1, interface + ', file and digests', '-d', 'both')
            under_load(generator, daemon, 1, interface + ', asked for data', '--r2t', '--no-immediate', '-b', '64k',
                       '-q', '8')
            kept_state(daemon, interface)
            refused = [daemon.ask(command='move', session=9999, reactor=0)['code'],
                       daemon.ask(command='move', session=1, reactor=2)['code']]
            judge('%s: who is not there and where nothing is are told' % interface,
                  refused == ['not_found', 'malformed'], refused)
            judge('%s: the daemon lives' % interface, daemon.process.poll() is None)
        finally:
            daemon.stop()
    return 1 if failures else 0


if __name__ == '__main__':
    sys.exit(main())
