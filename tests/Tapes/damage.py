#!/usr/bin/env python3
"""damage.py PORTAL TARGET DIRECTORY LOG SCSTD SCSTCTL SOCKET: cartridges whose files are damaged beneath the daemon.

Drive 1 meets them; drive 2 writes and reads all the while, and notices nothing. What is wrong is said in the log and by
scstctl, and by the sense that the changer or the drive gives.
"""
import os
import subprocess
import sys
import threading
from pathlib import Path

import tape
from tape import MEDIUM_ERROR, Unexpected, good

RECORDS, RECORD_BYTES = 48, 64 * 1024
HARDWARE_ERROR = 0x4
# docs/cartridge-format.md: two checkpoints and the label, each with its version behind 16 bytes of magic.
HEADERS, VERSION_OFFSET = (0, 128 * 1024, 256 * 1024), 16


class Worker(threading.Thread):
    """Drive 2, at work until told to stop."""

    def __init__(self, portal, target, slot):
        super().__init__()
        self.portal, self.target, self.slot = portal, target, slot
        self.rounds, self.failure, self.stopped = 0, None, threading.Event()

    def run(self):
        try:
            with tape.libiscsi.Initiator('iqn.2026-11.io.scstd.test:worker', self.portal, self.target) as initiator:
                drive = tape.Drive(initiator, 2)
                good(drive.ready(), 'drive 2 is ready')
                while not self.stopped.is_set():
                    self.round(drive)
                    self.rounds += 1
        except (Unexpected, tape.libiscsi.Failed) as error:
            self.failure = error

    def round(self, drive):
        data = [os.urandom(RECORD_BYTES) for _ in range(16)]
        good(drive.rewind(), 'REWIND of drive 2')
        for record in data:
            good(drive.write(record), 'WRITE of drive 2')
        good(drive.filemark(), 'WRITE FILEMARKS of drive 2')
        good(drive.rewind(), 'REWIND of drive 2')
        for record in data:
            if good(drive.read(), 'READ of drive 2').data != record:
                raise Unexpected('drive 2 read other data than it wrote')


class Damage:
    def __init__(self, initiator, directory, log, scstd, ctl):
        self.changer, self.drive = tape.Changer(initiator, 0), tape.Drive(initiator, 1)
        self.directory, self.log, self.scstd, self.ctl = Path(directory), Path(log), scstd, ctl
        self.log_bytes = 0

    @staticmethod
    def tell(name, passed, why=''):
        print('PASS' if passed else 'FAIL', f'damage: {name}', '' if passed else why, flush=True)

    def path(self, slot):
        return self.directory / f'A{slot:05}L8.cartridge'

    def written(self, slot):
        """A cartridge with records, back in its slot."""
        data = [os.urandom(RECORD_BYTES) for _ in range(RECORDS)]
        self.loaded(slot)
        for record in data:
            good(self.drive.write(record), 'WRITE')
        good(self.drive.filemark(), 'WRITE FILEMARKS')
        good(self.changer.unload(1, slot), 'unloading')
        self.log_bytes = self.log.stat().st_size
        return data

    def loaded(self, slot):
        good(self.changer.load(slot, 1), f'loading slot {slot}')
        good(self.drive.ready(), 'the drive becomes ready')

    def is_said(self, words):
        """In the log since the damage, and by scstctl."""
        logged = self.log.read_bytes()[self.log_bytes:].decode()
        return words in logged, logged

    def listed(self):
        return subprocess.run([*self.ctl, 'library', 'list'], capture_output=True, text=True, check=True).stdout

    def is_refused(self, name, slot, damage, sense, words):
        """A file that is no cartridge any more: it stays in its slot, the drive stays empty."""
        self.written(slot)
        damage(self.path(slot))
        answer, listed = self.changer.load(slot, 1), self.listed()
        self.tell(f'{name}: the changer refuses it with {sense[0]:X}/{sense[1]:02X}/{sense[2]:02X}',
                  answer.sense == sense, answer)
        ready = self.drive.ready()
        self.tell(f'{name}: the drive stays empty', ready.sense == (tape.NOT_READY, 0x3a, 0), ready)
        said, logged = self.is_said(words)
        self.tell(f'{name}: the log says why', said, logged)
        line = next(line for line in listed.splitlines() if line.startswith(f'slot{slot} '))
        self.tell(f'{name}: scstctl shows it in its slot, and why', words in line, line)

    def overwritten(self, slot):
        data = self.written(slot)
        with open(self.path(slot), 'r+b') as file:
            file.seek(os.path.getsize(self.path(slot)) // 2)
            file.write(os.urandom(100))
        self.loaded(slot)
        wrong = []
        for number, record in enumerate(data):
            answer = self.drive.read()
            if answer.status != 0 or answer.data != record:
                wrong.append((number, answer))
        self.tell('overwritten: one record is a MEDIUM ERROR, all others are read',
                  len(wrong) == 1 and wrong[0][1].sense == (MEDIUM_ERROR, 0x11, 0), wrong)
        said, logged = self.is_said(f'object {wrong[0][0]}: ' if wrong else 'object')
        self.tell('overwritten: the log names it', said and self.path(slot).name in logged, logged)
        self.tell('overwritten: LOCATE finds what is behind it', self.is_at(RECORDS - 1, data))
        good(self.changer.unload(1, slot), 'unloading')

    def is_at(self, number, data):
        good(self.drive.locate(number), 'LOCATE')
        return good(self.drive.read(), 'READ').data == data[number]

    def repaired(self, slot):
        data = self.written(slot)
        self.cut(self.path(slot))
        refused = self.changer.load(slot, 1)
        done = subprocess.run([self.scstd, 'cartridge', 'repair', str(self.path(slot))], capture_output=True, text=True,
                              check=False)
        self.tell('cut and repaired: the tool repairs it', refused.status != 0 and done.returncode == 0,
                  (refused, done))
        self.loaded(slot)
        count, answer = 0, self.drive.read()
        while answer.status == 0 and answer.data == data[count]:
            count, answer = count + 1, self.drive.read()
        self.tell('cut and repaired: its first records are read, then it ends',
                  0.4 * RECORDS < count < RECORDS and answer.sense == (tape.BLANK_CHECK, 0, 5), (count, answer))
        self.tell('cut and repaired: scstctl shows nothing wrong', '.cartridge:' not in next(
            line for line in self.listed().splitlines() if line.startswith('drive1 ')), self.listed())
        good(self.changer.unload(1, slot), 'unloading')

    @staticmethod
    def cut(path):
        os.truncate(path, os.path.getsize(path) * 6 // 10)

    @staticmethod
    def make_newer(path):
        with open(path, 'r+b') as file:
            for start in HEADERS:
                file.seek(start + VERSION_OFFSET)
                file.write((2).to_bytes(4, 'little'))


def main():
    portal, target, directory, log, scstd, scstctl, socket = sys.argv[1:]
    with tape.libiscsi.Initiator('iqn.2026-11.io.scstd.test:damage', portal, target) as initiator:
        damage = Damage(initiator, directory, log, scstd, [scstctl, '--socket', socket])
        good(damage.changer.load(8, 2), 'loading drive 2')
        worker = Worker(portal, target, 8)
        worker.start()
        try:
            damage.is_refused('cut', 1, damage.cut, (MEDIUM_ERROR, 0x31, 0), 'has been cut short')
            damage.overwritten(2)
            damage.is_refused('empty', 3, lambda path: os.truncate(path, 0), (MEDIUM_ERROR, 0x30, 1),
                              'the file is empty')
            damage.is_refused('newer', 4, damage.make_newer, (MEDIUM_ERROR, 0x30, 1),
                              'a cartridge of version 2; this scstd knows version 1')
            damage.is_refused('no cartridge', 5, lambda path: path.write_bytes(os.urandom(1024 * 1024)),
                              (MEDIUM_ERROR, 0x30, 1), 'this is no cartridge')
            if os.environ.get('OTHER_USER'):
                damage.is_refused('without permission', 6, lambda path: os.chmod(path, 0), (HARDWARE_ERROR, 0x53, 0),
                                  'Permission denied')
            else:
                print('SKIP damage: without permission: the daemon is root')
            damage.repaired(7)
            damage.is_refused('gone', 7, os.unlink, (HARDWARE_ERROR, 0x53, 0), 'there is no such file')
        finally:
            worker.stopped.set()
            worker.join()
        damage.tell('the other drive went on working', worker.failure is None and worker.rounds > 3,
                    (worker.rounds, worker.failure))


if __name__ == '__main__':
    try:
        main()
    except (Unexpected, tape.libiscsi.Failed) as error:
        print('FAIL damage.py:', error)
