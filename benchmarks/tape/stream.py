"""Streams to a tape drive and to a disk in turns; see run.sh."""
import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../tests'))
import libiscsi as iscsi  # noqa: E402

TARGET = 'iqn.2026-11.io.scstd.bench:tape'
CHANGER, DRIVE, OTHER_DRIVE, FIRST_DISK = range(4)
DEPTHS = 1, 8
RECORDS = 1_000_000
RECORD_BYTES = 512
ERASE = bytes((0x19, 0, 0, 0, 0, 0))
WRITE_FILEMARKS, SYNCHRONIZE_CACHE = bytes((0x10, 0, 0, 0, 0, 0)), bytes((0x35,)) + bytes(9)
REWIND, LOCATE = bytes((1, 0, 0, 0, 0, 0)), 0x2b


class Daemon:
    def __init__(self, options):
        listener = socket.socket()
        listener.bind(('127.0.0.1', 0))
        self.port = listener.getsockname()[1]
        listener.close()
        self.load, size = options.load, options.megabytes
        disks = range(options.rounds * len(DEPTHS))
        config = os.path.join(options.folder, 'tape.yaml')
        with open(config, 'w', encoding='utf-8') as file:
            file.write('''state_directory: none
control: {socket: none}
log: {level: warning}
reactors: {count: 1, cpus: "0"}
devices:
%s
libraries:
  library: {drives: 2, slots: 4, cartridges: {directory: tapes, create: 2, capacity: %dMiB}}
portals: {all: "127.0.0.1:%d"}
targets:
  %s:
    limits: {nop_interval: 0}
    luns: {%d: library, %d: library.drive1, %d: library.drive2, %s}
''' % ('\n'.join('  disk%d: {store: file, path: disk%d.img, size: %dMiB, io: buffered}' % (i, i, size) for i in disks),
       max(2 * size, 2048), self.port, TARGET, CHANGER, DRIVE, OTHER_DRIVE,
       ', '.join('%d: disk%d' % (FIRST_DISK + i, i) for i in disks)))
        self.process = subprocess.Popen([options.program, '--config', config], stdout=subprocess.PIPE)
        self.process.stdout.readline()

    def stream(self, lun, mode, depth, span, block='256k'):
        """MB/s of one pass."""
        arguments = [self.load, '--json', '--once', '--cpu', '1', '-m', mode, '-b', block, '-q', str(depth),
                     '--span', span, 'iscsi://127.0.0.1:%d/%s/%d' % (self.port, TARGET, lun)]
        if lun < FIRST_DISK:
            arguments.insert(1, '--tape')
        return json.loads(subprocess.run(arguments, stdout=subprocess.PIPE, check=True).stdout)

    def erase(self):
        """The tape is as empty as the disk's file, and what was on it given back to the file system."""
        one = self.initiator(DRIVE)
        for command in REWIND, ERASE:
            good(one.command(command))
        one.logout()

    def synchronize(self, lun):
        one = self.initiator(lun)
        good(one.command(WRITE_FILEMARKS if lun < FIRST_DISK else SYNCHRONIZE_CACHE))
        one.logout()

    def initiator(self, lun):
        one = iscsi.Initiator('iqn.2026-11.org.example:bench', '127.0.0.1:%d' % self.port, TARGET, lun)
        while one.command(bytes(6)).status == iscsi.CHECK_CONDITION:
            time.sleep(0.01)
        return one


def good(answer):
    if answer.status:
        raise SystemExit(answer)
    return answer


def robot_moves(changer, source, to):
    good(changer.command(bytes((0xa5, 0, 0, 0)) + source.to_bytes(2, 'big') + to.to_bytes(2, 'big') + bytes(4)))


def compare(daemon, options):
    span = '%dm' % options.megabytes
    print('%-28s%12s%12s%10s' % ('256 KiB, medians of %d' % options.rounds, 'disk MB/s', 'tape MB/s', 'ratio'))
    for number, depth in enumerate(DEPTHS):
        rates = {}
        for round_ in range(options.rounds):
            # A tape is always written anew: so is the disk, whose file has no blocks yet.
            disk = FIRST_DISK + number * options.rounds + round_
            for mode in 'seqwrite', 'seqread':
                for lun in (disk, DRIVE) if round_ % 2 else (DRIVE, disk):
                    if mode == 'seqwrite' and lun == DRIVE:
                        daemon.erase()
                    rates.setdefault((mode, lun == DRIVE), []).append(
                        daemon.stream(lun, mode, depth, span)['iops'] * 0.262144)
                    # What one pass left in the page cache is not to be written back in the time of the next.
                    daemon.synchronize(lun)
            os.truncate(os.path.join(options.folder, 'disk%d.img' % (disk - FIRST_DISK)), 0)
        for mode in 'seqwrite', 'seqread':
            disks, tapes = rates[mode, False], rates[mode, True]
            ratio = statistics.median(tape / disk for disk, tape in zip(disks, tapes))
            print('%-28s%12.0f%12.0f%10.2f' % ('%s, depth %d' % (mode[3:], depth), statistics.median(disks),
                                               statistics.median(tapes), ratio), flush=True)


def locate(daemon, changer):
    began = time.time()
    daemon.stream(OTHER_DRIVE, 'seqwrite', 32, str(RECORDS * RECORD_BYTES), str(RECORD_BYTES))
    print('%d records of %d bytes written in %.1f s' % (RECORDS, RECORD_BYTES, time.time() - began))
    drive = daemon.initiator(OTHER_DRIVE)
    cdb = bytes((LOCATE, 0, 0)) + (RECORDS - 1).to_bytes(4, 'big') + bytes(3)

    def timed(command):
        start = time.perf_counter()
        good(drive.command(command))
        return (time.perf_counter() - start) * 1000
    used = []
    for _ in range(20):
        good(drive.command(REWIND))
        used.append(timed(cdb))
    fresh = []
    for _ in range(5):
        robot_moves(changer, 0x0101, 0x1001)
        robot_moves(changer, 0x1001, 0x0101)
        while drive.command(bytes(6)).status:
            pass
        fresh.append(timed(cdb))
    print('LOCATE to the last of them: median %.2f ms, at most %.2f ms; just loaded: median %.2f ms, at most %.2f ms'
          % (statistics.median(used), max(used), statistics.median(fresh), max(fresh)))
    drive.logout()


def main():
    parser = argparse.ArgumentParser()
    for name in 'program', 'load', 'folder':
        parser.add_argument('--' + name, required=True)
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--megabytes', type=int, default=1024)
    options = parser.parse_args()
    daemon = Daemon(options)
    try:
        changer = daemon.initiator(CHANGER)
        robot_moves(changer, 0x1000, 0x0100)
        robot_moves(changer, 0x1001, 0x0101)
        compare(daemon, options)
        locate(daemon, changer)
        changer.logout()
    finally:
        daemon.process.terminate()
        daemon.process.wait()


if __name__ == '__main__':
    main()
