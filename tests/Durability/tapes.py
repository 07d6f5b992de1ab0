#!/usr/bin/env python3
"""Kills the daemon while it streams to a tape, and looks what is on the tape then.

usage: tapes.py [--kills N] [--seed N] SCSTD FOLDER

One initiator writes records of all lengths and filemarks, synchronises now and then, goes back and overwrites, and has
the changer exchange cartridges. At a moment of chance the daemon is killed (SIGKILL) and started again, which loads its
drive by itself. Each time `scstd cartridge check` must find the cartridge whole; what was synchronised must be there
bit for bit, and what follows must be a beginning of what was written since. This is about the end of a process, not of
the power: for that the tests of the store cut its writes at every point.

A daemon that ends by itself, lets its initiator go before it is killed, or logs an error is a violation, too.

The last line of standard output is "N kills, N records, N synchronisations, N violations"; the status is 1 if there was
one.
"""
import argparse
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, __file__.rsplit('/', 2)[0])
import libiscsi as iscsi  # noqa: E402

TARGET = 'iqn.2026-11.io.scstd.test:tapes'
CHANGER, DRIVE = 0, 1
DRIVE_ADDRESS, FIRST_SLOT = 0x0100, 0x1000
BARCODES = 'A00001L8', 'A00002L8'
REWIND, SYNCHRONISE = bytes((1, 0, 0, 0, 0, 0)), bytes((0x10, 0, 0, 0, 0, 0))
LONGEST = 256 * 1024
BLANK_CHECK, FILEMARK = (8, 0x00, 0x05), (0, 0x00, 0x01)
MARK = 'filemark'
START_SECONDS = 60


class Broken(Exception):
    """A promise was not kept."""


class Gone(Exception):
    """The daemon was killed in the middle of it."""


class Tape:
    """What may be on one cartridge: one way, or two while a command is under way that decides."""

    def __init__(self):
        self.objects, self.sure = [], 0     # so many of them were synchronised
        self.other = None                   # (objects, sure) if the command under way does nothing

    def explains(self, found):
        return any(len(found) >= sure and found == objects[:len(found)]
                   for objects, sure in filter(None, ((self.objects, self.sure), self.other)))


class World:
    def __init__(self, program, folder, seed):
        self.program, self.folder, self.random = program, folder, random.Random(seed)
        listener = socket.socket()
        listener.bind(('127.0.0.1', 0))
        self.port = listener.getsockname()[1]
        listener.close()
        self.config = os.path.join(folder, 'tapes.yaml')
        self.log = os.path.join(folder, 'tapes.log')
        open(self.log, 'wb').close()
        with open(self.config, 'w', encoding='utf-8') as file:
            file.write('''log: {level: warning}
reactors: {count: 2}
control: {enabled: no}
state_directory: tapes-state
libraries:
  library: {drives: 1, slots: 4, cartridges: {directory: tapes, create: %d, capacity: 64GiB}}
portals: {all: "127.0.0.1:%d"}
targets:
  %s: {luns: {%d: library, %d: library.drive1}, limits: {nop_interval: 0}}
''' % (len(BARCODES), self.port, TARGET, CHANGER, DRIVE))
        self.tapes = {barcode: Tape() for barcode in BARCODES}
        self.loaded = None
        self.records = self.synchronisations = self.stamps = 0
        self.process = self.initiator = None

    def start(self):
        self.process = subprocess.Popen([self.program, '--config', self.config], stdout=subprocess.PIPE,
                                        stderr=open(self.log, 'ab'))
        if not self.process.stdout.readline():
            raise Broken('the daemon does not start')
        self.initiator = iscsi.Initiator(
            'iqn.2026-11.io.scstd.test:streamer', '127.0.0.1:%d' % self.port, TARGET, DRIVE)
        self.ready(CHANGER)

    def ready(self, lun):
        end = time.monotonic() + START_SECONDS
        while self.initiator.command(bytes(6), lun=lun).status:
            if time.monotonic() > end:
                raise Broken('LUN %d does not become ready' % lun)

    def die(self):
        self.process.send_signal(signal.SIGKILL)
        self.initiator.close()
        status = self.process.wait()
        if status != -signal.SIGKILL:
            raise Broken('the daemon ended by itself, with status %d' % status)
        if os.path.getsize(self.log):
            raise Broken('the daemon complained, see %s' % self.log)

    def do(self, cdb, data=b'', read_bytes=0, lun=DRIVE):
        try:
            answer = self.initiator.command(cdb, data, read_bytes, lun)
        except iscsi.Failed as failed:
            raise Gone() from failed
        if answer.status in (iscsi.CANCELLED, iscsi.ERROR, iscsi.TIMED_OUT):
            raise Gone()
        return answer

    def good(self, cdb, data=b'', lun=DRIVE):
        answer = self.do(cdb, data, lun=lun)
        if answer.status:
            raise Broken('%s: %r' % (cdb.hex(), answer))

    # ---- What is done --------------------------------------------------------------------------------------------

    def stream(self):
        """Until the daemon is gone."""
        tape = self.tapes[self.loaded]
        position = len(tape.objects)
        self.good(bytes((0x2b, 0, 0)) + position.to_bytes(4, 'big') + bytes(3))
        while True:
            dice = self.random.random()
            if dice < 0.02 and position > 10:
                position = self.random.randrange(position)
                self.good(bytes((0x2b, 0, 0)) + position.to_bytes(4, 'big') + bytes(3))
            elif dice < 0.06:
                self.good(SYNCHRONISE)
                tape.sure = len(tape.objects)
                self.synchronisations += 1
            else:
                position = self.write(tape, position, is_mark=dice < 0.12)

    def write(self, tape, position, is_mark):
        self.stamps += 1
        length = self.random.choice((1, 100, 512, 10240, 65536, LONGEST, self.random.randrange(1, LONGEST)))
        one = MARK if is_mark else (self.stamps, length)
        tape.other = tape.objects, tape.sure
        tape.objects = tape.objects[:position] + [one]
        tape.sure = min(tape.sure, position)
        if is_mark:
            immediately = self.random.random() < 0.5
            self.good(bytes((0x10, immediately, 0, 0, 1, 0)))
            if not immediately:
                tape.sure = len(tape.objects)
                self.synchronisations += 1
        else:
            self.good(bytes((0x0a, 0)) + length.to_bytes(3, 'big') + b'\0', content(one))
            self.records += 1
        tape.other = None
        return position + 1

    def exchange(self):
        """Another cartridge into the drive, by the changer's commands."""
        if self.loaded:
            self.move(DRIVE_ADDRESS, FIRST_SLOT + BARCODES.index(self.loaded))
            # The drive has written back what it had, before the robot was answered.
            self.tapes[self.loaded].sure = len(self.tapes[self.loaded].objects)
        self.loaded = self.random.choice(BARCODES)
        self.move(FIRST_SLOT + BARCODES.index(self.loaded), DRIVE_ADDRESS)
        self.ready(DRIVE)

    def move(self, source, to):
        self.good(bytes((0xa5, 0, 0, 0)) + source.to_bytes(2, 'big') + to.to_bytes(2, 'big') + bytes(4), lun=CHANGER)

    # ---- What is found -------------------------------------------------------------------------------------------

    def check(self):
        for barcode in BARCODES:
            file = os.path.join(self.folder, 'tapes', barcode + '.cartridge')
            done = subprocess.run([self.program, 'cartridge', 'check', file], stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True, check=False)
            if done.returncode:
                raise Broken('%s: %s' % (barcode, done.stdout))

    def inventory(self):
        answer = self.do(bytes((0xb8, 0x14, 0, 0, 0xff, 0xff, 0, 0, 0x10, 0, 0, 0)), read_bytes=4096, lun=CHANGER)
        tag = answer.data[16 + 12:16 + 44].decode().strip()
        if (tag or None) != self.loaded:
            raise Broken('%r is in the drive where %r should be' % (tag, self.loaded))

    def found(self):
        """All that is on the tape."""
        self.ready(DRIVE)
        self.good(REWIND)
        objects = []
        expected = self.tapes[self.loaded].objects
        while True:
            answer = self.do(bytes((0x08, 2)) + LONGEST.to_bytes(3, 'big') + b'\0', read_bytes=LONGEST)
            if answer.sense == BLANK_CHECK:
                return objects
            if answer.sense == FILEMARK:
                objects.append(MARK)
            elif answer.status:
                raise Broken('object %d: %r' % (len(objects), answer))
            else:
                objects.append(recognise(answer.data, self.candidates(expected, len(objects))))

    def candidates(self, expected, number):
        others = self.tapes[self.loaded].other
        return [objects[number] for objects in (expected, others[0] if others else [])
                if number < len(objects) and objects[number] != MARK]

    def round(self):
        if self.loaded is None or self.random.random() < 0.3:
            self.exchange()
        is_time = threading.Event()
        killer = threading.Timer(self.random.uniform(0.02, 0.4), lambda: (is_time.set(), self.process.kill()))
        killer.start()
        try:
            self.stream()
        except Gone as gone:
            if not is_time.is_set():
                raise Broken('the initiator was let go before the daemon was killed') from gone
        finally:
            killer.join()
        self.die()
        self.check()
        self.start()
        self.inventory()
        tape, found = self.tapes[self.loaded], self.found()
        if not tape.explains(found):
            raise Broken('%d objects were found where %d were written and %d synchronised'
                         % (len(found), len(tape.objects), tape.sure))
        tape.objects, tape.sure, tape.other = found, len(found), None
        if len(found) > 400:
            # Reading it all again each time would leave no time for more.
            self.good(REWIND)
            self.good(bytes((0x19, 0, 0, 0, 0, 0)))
            tape.objects, tape.sure = [], 0


def content(one):
    stamp, length = one
    return random.Random(stamp).randbytes(length) if stamp % 3 else (b'%d ' % stamp * length)[:length]


def recognise(data, candidates):
    for one in candidates:
        if one[1] == len(data) and content(one) == data:
            return one
    raise Broken('a record of %d bytes that was not written there' % len(data))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--kills', type=int, default=40)
    parser.add_argument('--seed', type=int, default=int(time.time()))
    parser.add_argument('program')
    parser.add_argument('folder')
    options = parser.parse_args()
    world = World(options.program, options.folder, options.seed)
    violations = kills = 0
    world.start()
    try:
        for kills in range(1, options.kills + 1):
            world.round()
    except Broken as broken:
        violations = 1
        print('seed %d, kill %d: %s' % (options.seed, kills, broken))
    finally:
        world.process.kill()
        world.process.wait()
    print('%d kills, %d records, %d synchronisations, %d violations'
          % (kills, world.records, world.synchronisations, violations))
    return violations


if __name__ == '__main__':
    sys.exit(main())
