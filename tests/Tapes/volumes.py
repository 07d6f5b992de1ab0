#!/usr/bin/env python3
"""volumes.py PORTAL TARGET MEBIBYTES: an archive of tar that is larger than a cartridge.

Drive 1 writes it in blocks of 256 KiB; at early warning a filemark ends the volume, and the changer brings the next
cartridge. Then it is read from them, and every file compared with what was written, and the stream itself.
"""
import collections
import hashlib
import io
import os
import sys
import tarfile
import time

import tape
from tape import BLOCK_BYTES, Unexpected, flags_of, good

FILE_BYTES = 32 * 1024 * 1024
# So many commands are under way at a time.
DEPTH = 4


class Volumes:
    """The cartridges in their order, by drive 1."""

    def __init__(self, changer, drive):
        self.changer, self.drive, self.number = changer, drive, 0
        self.next()

    def next(self):
        self.leave()
        self.number += 1
        good(self.changer.load(self.number, 1), f'loading volume {self.number}')
        good(self.drive.ready(), f'volume {self.number} becomes ready')

    def leave(self):
        if self.number:
            good(self.changer.unload(1, self.number), f'unloading volume {self.number}')


class Writer(io.RawIOBase):
    """What tar writes to; every call brings one block."""

    def __init__(self, volumes):
        self.volumes, self.hash, self.bytes = volumes, hashlib.sha256(), 0
        self.under_way, self.is_near_end = collections.deque(), False

    def write(self, data):
        data = bytes(data)
        if self.is_near_end:
            self.end_volume()
            self.volumes.next()
        self.under_way.append(self.volumes.drive.send_write(data))
        if len(self.under_way) >= DEPTH:
            self.take_answer()
        self.hash.update(data)
        self.bytes += len(data)
        return len(data)

    def take_answer(self):
        answer = self.under_way.popleft().wait()
        if answer.status == 0:
            return
        # Behind early warning: written, and told (SSC-4 WRITE (6): NO SENSE with EOM).
        if answer.sense == (0, 0, 2) and flags_of(answer) & tape.EARLY_WARNING:
            self.is_near_end = True
        else:
            raise Unexpected(f'WRITE on volume {self.volumes.number}: {answer}')

    def end_volume(self):
        while self.under_way:
            self.take_answer()
        answer = self.volumes.drive.filemark()
        if not (answer.status == 0 or answer.sense == (0, 0, 2)):
            raise Unexpected(f'WRITE FILEMARKS on volume {self.volumes.number}: {answer}')
        self.is_near_end = False


class Reader(io.RawIOBase):
    """What tar reads from: the volumes as one stream."""

    def __init__(self, volumes, last):
        self.volumes, self.last, self.hash = volumes, last, hashlib.sha256()
        self.under_way, self.rest = collections.deque(), b''

    def read(self, size=-1):
        while not self.rest and not self.is_at_end():
            pass
        taken, self.rest = self.rest[:size], self.rest[size:]
        return taken

    def is_at_end(self):
        while len(self.under_way) < DEPTH:
            self.under_way.append(self.volumes.drive.send_read())
        answer = self.under_way.popleft().wait()
        if answer.status == 0:
            self.rest = answer.data
            self.hash.update(answer.data)
            return False
        if not (answer.sense and answer.sense == (0, 0, 1) and flags_of(answer) & tape.FILEMARK):
            raise Unexpected(f'READ on volume {self.volumes.number}: {answer}')
        # Nothing is behind the filemark.
        while self.under_way:
            answer = self.under_way.popleft().wait()
            if answer.sense != (tape.BLANK_CHECK, 0, 5):
                raise Unexpected(f'READ behind the end of volume {self.volumes.number}: {answer}')
        if self.volumes.number == self.last:
            return True
        self.volumes.next()
        return False


# Random, so that no compression makes it smaller; each file is another part of the pool.
def content(pool, number):
    start = number * 4099 % FILE_BYTES
    return pool[start:start + FILE_BYTES]


def write(changer, drive, pool, count):
    volumes = Volumes(changer, drive)
    writer, hashes = Writer(volumes), {}
    with tarfile.open(mode='w|', fileobj=writer, bufsize=BLOCK_BYTES) as archive:
        for number in range(count):
            data = content(pool, number)
            member = tarfile.TarInfo(f'file{number}')
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
            hashes[member.name] = hashlib.sha256(data).digest()
    writer.end_volume()
    volumes.leave()
    return writer, hashes, volumes.number


def restore(changer, drive, last, hashes):
    volumes = Volumes(changer, drive)
    reader, wrong, seen = Reader(volumes, last), [], 0
    with tarfile.open(mode='r|', fileobj=reader, bufsize=BLOCK_BYTES) as archive:
        for member in archive:
            seen += 1
            digest = hashlib.sha256()
            with archive.extractfile(member) as source:
                while data := source.read(1024 * 1024):
                    digest.update(data)
            if digest.digest() != hashes.get(member.name):
                wrong.append(member.name)
    # Up to the end: what tar pads its last block with belongs to the stream.
    while reader.read(BLOCK_BYTES):
        pass
    volumes.leave()
    return reader, wrong, seen


def main():
    portal, target, mebibytes = sys.argv[1], sys.argv[2], int(sys.argv[3])
    count = mebibytes * 1024 * 1024 // FILE_BYTES
    pool = os.urandom(2 * FILE_BYTES)
    with tape.libiscsi.Initiator('iqn.2026-11.io.scstd.test:volumes', portal, target) as initiator:
        changer, drive = tape.Changer(initiator, 0), tape.Drive(initiator, 1)
        begin = time.monotonic()
        writer, hashes, last = write(changer, drive, pool, count)
        written = time.monotonic()
        print(f'wrote {writer.bytes} bytes on {last} cartridges in {written - begin:.1f} s')
        reader, wrong, seen = restore(changer, drive, last, hashes)
        print(f'read them in {time.monotonic() - written:.1f} s')
    is_same = reader.hash.digest() == writer.hash.digest()
    for passed, name in ((last > 1, f'a tar of {mebibytes} MiB went on over {last} cartridges'),
                         (not wrong and seen == count, f'all its files are restored bit for bit {wrong}'),
                         (is_same, 'the stream has the same sha256')):
        print('PASS' if passed else 'FAIL', name)


if __name__ == '__main__':
    try:
        main()
    except (Unexpected, tape.libiscsi.Failed) as error:
        print('FAIL volumes.py:', error)
