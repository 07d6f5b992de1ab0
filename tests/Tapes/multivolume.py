#!/usr/bin/env python3
"""multivolume.py PORTAL TARGET [MIB]: a tar stream over as many cartridges as it takes, and back.

LUN 0 is a medium changer, LUN 1 one of its drives. The stream is written in records of 256 KiB; at early warning, or
where a record does not fit any more, the cartridge goes back and the next one is fetched, all by SCSI commands. Then
the volumes are read in their order: the stream must be the same, bit for bit, and GNU tar must find every file in it.
"""
import hashlib
import pathlib
import random
import subprocess
import sys
import tarfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
import libiscsi  # noqa: E402

RECORD_BYTES = 256 * 1024
FILE_BYTES = 64 << 20
CHANGER, DRIVE = 0, 1
NO_SENSE, BLANK_CHECK, VOLUME_OVERFLOW = 0x0, 0x8, 0xD
FILEMARK, END_OF_MEDIUM = (NO_SENSE, 0x00, 0x01), (NO_SENSE, 0x00, 0x02)


def must_be_good(answer, what):
    if answer.status != libiscsi.GOOD:
        raise SystemExit(f'FAIL {what}: {answer}')
    return answer


class Library:
    """The changer and its first drive, which holds one volume after the other: those of the slots, in their order."""

    def __init__(self, portal, target):
        self.session = libiscsi.Initiator('iqn.2026-11.io.scstd.test:multivolume', portal, target)
        for lun in (CHANGER, DRIVE):
            self.settle(lun)
        page = must_be_good(self.session.command(bytes([0x1A, 0x08, 0x1D, 0, 255, 0]), read_bytes=255, lun=CHANGER),
                            'mode page 1Dh').data[4:]
        self.robot, self.slots, self.drive = (int.from_bytes(page[at:at + 2], 'big') for at in (2, 6, 14))
        self.slot_count = int.from_bytes(page[8:10], 'big')
        self.volume = None

    def settle(self, lun):
        """Unit attentions are taken; a drive without a cartridge is as it should be."""
        for _ in range(20):
            answer = self.session.command(bytes(6), lun=lun)
            if answer.status == libiscsi.GOOD or answer.sense[0] != libiscsi.UNIT_ATTENTION:
                return answer
        raise SystemExit(f'FAIL LUN {lun} does not become ready: {answer}')

    def move(self, source, destination):
        addresses = b''.join(address.to_bytes(2, 'big') for address in (self.robot, source, destination))
        must_be_good(self.session.command(b'\xa5\0' + addresses + bytes(4), lun=CHANGER),
                     f'MOVE MEDIUM {source:#x} to {destination:#x}')

    def take_away(self):
        if self.volume is not None:
            self.move(self.drive, self.slots + self.volume)
            self.volume = None

    def load(self, volume):
        self.take_away()
        if volume >= self.slot_count:
            raise SystemExit('FAIL the stream needs more cartridges than there are')
        self.move(self.slots + volume, self.drive)
        self.volume = volume
        must_be_good(self.settle(DRIVE), f'volume {volume} in the drive')

    def write(self, record):
        return self.session.command(b'\x0a\0' + len(record).to_bytes(3, 'big') + b'\0', data_out=record, lun=DRIVE)

    def read(self):
        """Variable, SILI."""
        return self.session.command(b'\x08\x02' + RECORD_BYTES.to_bytes(3, 'big') + b'\0', read_bytes=RECORD_BYTES,
                                    lun=DRIVE)

    def write_filemark(self):
        answer = self.session.command(bytes([0x10, 0, 0, 0, 1, 0]), lun=DRIVE)
        # SSC-4, WRITE FILEMARKS: behind early warning it is done, and EOM said.
        if answer.sense != END_OF_MEDIUM:
            must_be_good(answer, 'WRITE FILEMARKS')


class VolumeWriter:
    """Where tarfile writes to."""

    def __init__(self, library):
        self.library, self.sum, self.bytes, self.volumes = library, hashlib.sha256(), 0, 1
        library.load(0)

    def write(self, record):
        self.sum.update(record)
        self.bytes += len(record)
        answer = self.library.write(record)
        if answer.status == libiscsi.GOOD:
            return len(record)
        if answer.sense == END_OF_MEDIUM:
            self._next()
        elif answer.sense[0] == VOLUME_OVERFLOW:
            self._next()
            must_be_good(self.library.write(record), 'the record on the next volume')
        else:
            raise SystemExit(f'FAIL WRITE after {self.bytes} bytes: {answer}')
        return len(record)

    def _next(self):
        self.library.write_filemark()
        self.library.load(self.volumes)
        self.volumes += 1

    def close(self):
        self.library.write_filemark()
        self.library.take_away()


class Pattern:
    """A file that no other resembles and that is nowhere."""

    def __init__(self, seed, size):
        self.random, self.left = random.Random(seed), size

    def read(self, size):
        size = min(size, self.left)
        self.left -= size
        return self.random.randbytes(size)


def file_names(count):
    return [f'backup/file{number:03}' for number in range(count)]


def write_all(library, names):
    writer = VolumeWriter(library)
    with tarfile.open(mode='w|', fileobj=writer, bufsize=RECORD_BYTES, copybufsize=RECORD_BYTES) as archive:
        for seed, name in enumerate(names):
            entry = tarfile.TarInfo(name)
            entry.size = FILE_BYTES
            archive.addfile(entry, Pattern(seed, FILE_BYTES))
    writer.close()
    return writer


def read_all(library, volumes, sink):
    read_sum, read_bytes = hashlib.sha256(), 0
    for volume in range(volumes):
        library.load(volume)
        while (answer := library.read()).status == libiscsi.GOOD:
            read_sum.update(answer.data)
            read_bytes += len(answer.data)
            sink.write(answer.data)
        if answer.sense != FILEMARK:
            raise SystemExit(f'FAIL READ of volume {volume} after {read_bytes} bytes: {answer}')
        if (answer := library.read()).sense is None or answer.sense[0] != BLANK_CHECK:
            raise SystemExit(f'FAIL volume {volume} goes on behind its filemark: {answer}')
    library.take_away()
    return read_sum.hexdigest(), read_bytes


def main():
    portal, target = sys.argv[1:3]
    names = file_names((int(sys.argv[3]) << 20) // FILE_BYTES if len(sys.argv) > 3 else 32)
    library = Library(portal, target)
    begin = time.monotonic()
    writer = write_all(library, names)
    between = time.monotonic()
    if writer.volumes < 2:
        raise SystemExit(f'FAIL all of it went to {writer.volumes} cartridge')
    with subprocess.Popen(['tar', '-t'], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=False) as tar:
        read_sum, read_bytes = read_all(library, writer.volumes, tar.stdin)
        tar.stdin.close()
        listed = tar.stdout.read().decode().split()
    end = time.monotonic()
    library.session.logout()
    print(f'{writer.bytes} bytes on {writer.volumes} cartridges, written in {between - begin:.1f} s, '
          f'read in {end - between:.1f} s')
    if (read_sum, read_bytes) != (writer.sum.hexdigest(), writer.bytes):
        raise SystemExit(f'FAIL {read_bytes} bytes came back with another sum')
    if tar.returncode != 0 or listed != names:
        raise SystemExit(f'FAIL tar finds {len(listed)} files of {len(names)}, status {tar.returncode}')


main()
