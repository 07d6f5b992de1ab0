#!/usr/bin/env python3
"""patience.py SCSTD SCSTCTL FOLDER: what an administrator changes while a store is stuck, a command is refused, or a
host goes away. Starts its own daemon on a free port of the loopback and prints PASS and FAIL lines.
"""
import json
import os
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
import libiscsi as iscsi  # noqa: E402

TARGET = 'iqn.2026-11.io.scstd.test:patience'
NAME = 'iqn.2026-11.io.scstd.test:host-'
WITHOUT = (('  stuck: {store: file, path: stuck.img, size: 16MiB}\n', ''), ('0: stuck, ', ''))
failures = 0


def judge(name, holds, detail=''):
    global failures
    if holds:
        print('PASS', name)
    else:
        failures += 1
        print('FAIL %s: %s' % (name, str(detail).replace('\n', ' | ')))
    sys.stdout.flush()


def read(lba=0, blocks=1):
    return bytes((0x28, 0)) + lba.to_bytes(4, 'big') + b'\0' + blocks.to_bytes(2, 'big') + b'\0'


class Daemon:
    def __init__(self, program, control, folder, port):
        self.control, self.folder, self.port = control, folder, port
        self.socket = os.path.join(folder, 'patience.sock')
        self.config = os.path.join(folder, 'patience.yaml')
        self.log_path = os.path.join(folder, 'patience.log')
        self.write()
        self.log = open(self.log_path, 'wb')
        self.process = subprocess.Popen([program, '--config', self.config], stdout=subprocess.PIPE, stderr=self.log)
        self.process.stdout.readline()

    def write(self, *changes):
        text = '''control: {socket: %s}
state_directory: none
reactors: {count: 2}
devices:
  stuck: {store: file, path: stuck.img, size: 16MiB}
  other: {store: memory, size: 16MiB}
  third: {store: memory, size: 16MiB}
portals: {all: "127.0.0.1:%d"}
targets:
  %s: {luns: {0: stuck, 1: other}, limits: {nop_interval: 0}}
''' % (self.socket, self.port, TARGET)
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        with open(self.config, 'w', encoding='utf-8') as file:
            file.write(text)

    def start(self, *arguments):
        return subprocess.Popen([self.control, '--socket', self.socket, *arguments], stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True)

    def ctl(self, *arguments):
        process = self.start(*arguments)
        said = process.communicate(timeout=60)[0]
        return process.returncode, said

    def json(self, *arguments):
        process = subprocess.Popen([self.control, '--socket', self.socket, '--json', *arguments],
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        return json.loads(process.communicate(timeout=60)[0])

    def unit(self, name):
        return self.json('units', name)['units'][0]

    def logged(self, words, seconds=10):
        return until(lambda: words in open(self.log_path, encoding='utf-8').read(), seconds)


def until(condition, seconds):
    end = time.time() + seconds
    while not condition():
        if time.time() > end:
            return False
        time.sleep(0.05)
    return True


def host(daemon, name, luns=(0, 1)):
    one = iscsi.Initiator(NAME + name, '127.0.0.1:%d' % daemon.port, TARGET, luns[0])
    for lun in luns:
        while one.command(bytes(6), lun=lun).status == 2:   # unit attentions
            pass
    return one


def failing_store(daemon):
    one = host(daemon, 'reader')
    os.truncate(os.path.join(daemon.folder, 'stuck.img'), 4096)
    answer = one.command(read(1000), read_bytes=512)
    judge('a read that the store fails is an error to its host', answer.status == 2, answer)
    judge('is counted', daemon.unit('stuck')['storeFailures'] == 1, daemon.unit('stuck'))
    judge('and logged with its block and its host', daemon.logged(
        'Device stuck: Read of 1 block(s) from 1000 failed; told ' + NAME + 'reader,i,'))
    os.truncate(os.path.join(daemon.folder, 'stuck.img'), 16 << 20)
    one.manage(5)                                           # LOGICAL UNIT RESET: what was kept is forgotten
    one.logout()


def stuck_store(daemon):
    first, second = host(daemon, 'first'), host(daemon, 'second')
    daemon.ctl('faults', 'add', 'stuck', 'SlowStore', '--delay-ms', '600000', '--count', '1')
    first.send(read(), read_bytes=512)
    first.serve(0.3)
    began = time.time()
    resize = daemon.start('resize', 'stuck', '32MiB', '--patience', '25')
    drains = until(lambda: daemon.unit('stuck')['state'] == 'draining', 20)
    judge('a unit that a change waits for is told to drain', drains, daemon.unit('stuck'))
    status, said = daemon.ctl('resize', 'other', '24MiB')
    judge('another unit changes meanwhile', status == 0 and resize.poll() is None, said)
    status, said = daemon.ctl('replace', TARGET, '1', 'third')
    judge('and a LUN is led elsewhere', status == 0 and resize.poll() is None, said)
    said = resize.communicate(timeout=60)[0]
    judge('a change that waits too long is given up', resize.returncode == 1 and time.time() - began < 60, said)
    judge('and says what it waited for', 'waits for READ (10) of ' + NAME + 'first' in said, said)
    judge('the unit is as it was', daemon.unit('stuck')['blocks'] == 32768 and daemon.unit('stuck')['state'] == 'ready',
          daemon.unit('stuck'))
    answer = second.command(read(1), read_bytes=512)
    judge('and serves others', answer.status == 0, answer)
    resize = daemon.start('resize', 'stuck', '32MiB', '--patience', '300')
    until(lambda: daemon.unit('stuck')['state'] == 'draining', 10)
    resize.send_signal(signal.SIGKILL)
    resize.wait()
    judge('an administrator who goes away changes nothing',
          until(lambda: daemon.unit('stuck')['state'] == 'ready', 10), daemon.unit('stuck'))
    session = [one['id'] for one in daemon.json('sessions')['sessions'] if one['initiator'].endswith('first')][0]
    status, said = daemon.ctl('kick', str(session))
    judge('a kick tells of sessions that still end', status == 4 and '1 end when their stores' in said, said)
    daemon.write(*WITHOUT)
    daemon.ctl('reload')
    status, said = daemon.ctl('units')
    judge('a removed unit is shown until its command has ended', 'removed, draining' in said, said)


def refusals(daemon):
    one = host(daemon, 'third', (1,))
    daemon.write(*WITHOUT, ('other: {store: memory, size: 16MiB}', 'other: {store: memory, size: 8MiB}'))
    status, said = daemon.ctl('reload')
    judge('what is in use does not become smaller by itself', status == 1 and '--force' in said, said)
    status, said = daemon.ctl('reload', '--dry-run')
    judge('a preview tells what would change', 'would be: device other: size changed' in said, said)
    one.logout()
    status, said = daemon.ctl('resize', 'other', '0')
    judge('no size is none', status == 1 and 'expected more than nothing' in said, said)
    status, said = daemon.ctl('kick', 'x', '--patience', 'soon')
    judge('wrong usage is told without words of .NET',
          status == 2 and 'expected a whole number' in said and 'System.' not in said, said)
    status, said = daemon.ctl('stutas', '--json')
    judge('and in JSON where that is asked for', status == 2 and json.loads(said)['answer'] == 'error', said)
    process = subprocess.run([daemon.control, '--socket', daemon.config, '--json', 'status'], stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True, check=False)
    judge('a path that is no socket is told to be none', process.returncode == 3
          and json.loads(process.stdout)['code'] == 'unreachable' and 'not a socket' in process.stderr, process)
    try:
        iscsi.Initiator(NAME + 'lost', '127.0.0.1:%d' % daemon.port, TARGET + '-no')
    except iscsi.Failed:
        pass
    portal = daemon.json('status')['portals'][0]
    judge('a refused login is counted', portal['loginFailures'] == 1, portal)
    judge('and logged with the name that was sent',
          daemon.logged(TARGET + '-no refused, NotFound: there is no such target'))
    judge('the log tells who asked for what', daemon.logged(' asks {"command":"replace","target":"%s"' % TARGET))


def main():
    program, control, folder = sys.argv[1:4]
    listener = socket.socket()
    listener.bind(('127.0.0.1', 0))
    port = listener.getsockname()[1]
    listener.close()
    daemon = Daemon(program, control, folder, port)
    try:
        failing_store(daemon)
        stuck_store(daemon)
        refusals(daemon)
    finally:
        daemon.process.kill()
        daemon.process.wait()
    return 1 if failures else 0


if __name__ == '__main__':
    sys.exit(main())
