#!/usr/bin/env python3
"""Writes what a disk has no room for and looks who is told: never GOOD over lost data, and nobody for ever.

usage: lost.py cached ADDRESS:PORT TARGET DEVICE     the write cache is on: flushes run together, from several nexuses
       lost.py through ADDRESS:PORT TARGET DEVICE    it is off: writes with and without room run together
"""
import os
import struct
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from iscsi import TASK_MANAGEMENT, Connection, header  # noqa: E402

NEXUSES, SECONDS, BLOCK = 6, 5, 512
ROOM, FILLING, NO_ROOM = (0, 2000), (4000, 40000), (80000, 120000)      # blocks
GOOD = 0


def log_in(number):
    connection = Connection(address, patience_seconds=60)
    answer = connection.login({
        'InitiatorName': 'iqn.2026-11.io.scstd.test:lost%d' % number, 'TargetName': target, 'SessionType': 'Normal',
        'ImmediateData': 'Yes', 'InitialR2T': 'No'}, isid=b'\x80\0\0\0\0' + bytes([number + 1]))
    assert answer.head[36] == 0, answer.head
    attentions(connection)
    return connection


def attentions(connection):
    while connection.status(bytes(6)) != GOOD:
        pass


def write(connection, lba, data):
    cdb = struct.pack('>BBIBHB', 0x2a, 0, lba, 0, len(data) // BLOCK, 0)
    return connection.status(cdb, flags=0x20, length=len(data), data=data)


def reset(connection):
    connection.send_pdu(header(TASK_MANAGEMENT, 0x85, 0, tag=connection.next_tag(),
                               words=(connection.command_number, connection.status_number)))
    connection.receive()


def together(work):
    threads = [threading.Thread(target=work, args=(number,)) for number in range(NEXUSES)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def flushes():
    found = [None] * NEXUSES

    def flush(number):
        found[number] = nexuses[number].status(struct.pack('>BBIBHB', 0x35, 0, 0, 0, 0, 0))

    together(flush)
    return found


def cached(_):
    for turn in range(3):
        for lba in range(0, 40960, 16):
            assert write(nexuses[0], lba, os.urandom(16 * BLOCK)) == GOOD
        told = flushes()
        print('turn %d: the flushes of lost data: %s' % (turn, told))
        assert GOOD not in told
        reset(nexuses[0])
        for nexus in nexuses:
            attentions(nexus)
        told = flushes()
        print('turn %d: flushes after a reset: %s' % (turn, told))
        assert told == [GOOD] * NEXUSES


def fill():
    """What has room has it from now on, and nothing else will get any."""
    for first, last in ROOM, FILLING:
        for lba in range(first, last, 16):
            if write(nexuses[0], lba, os.urandom(16 * BLOCK)) != GOOD:
                assert first == FILLING[0]
                break
    reset(nexuses[0])
    for nexus in nexuses:
        attentions(nexus)


def through(device):
    fill()
    counts, written = [[0, 0], [0, 0]], {}
    end = time.monotonic() + SECONDS
    patience = end + 60

    def goes_on():
        """A slow disk may need longer until one with room comes through between the failures of the others."""
        return time.monotonic() < (end if counts[0][1] else patience)

    def run(number):
        hopeless, lane = number % 2, number // 2 * 8
        first, last = NO_ROOM if hopeless else ROOM
        while goes_on():
            for lba in range(first + lane, last - 8, NEXUSES // 2 * 8):
                data = os.urandom(8 * BLOCK)
                status = write(nexuses[number], lba, data)
                counts[hopeless][status == GOOD] += 1
                written[lba] = data if status == GOOD else None
                if number == 0 and status != GOOD:
                    reset(nexuses[0])
                if not goes_on():
                    break

    together(run)
    print('with room: %d failed, %d good; without: %d failed, %d good' % (*counts[0], *counts[1]))
    assert counts[0][1] and counts[1][0] and not counts[1][1]
    source = os.open(device, os.O_RDONLY)
    os.posix_fadvise(source, 0, 0, os.POSIX_FADV_DONTNEED)
    lost = [lba for lba, data in written.items() if data and os.pread(source, len(data), lba * BLOCK) != data]
    assert not lost, lost


mode, where, target, *more = sys.argv[1:]
host, port = where.rsplit(':', 1)
address = (host, int(port))
nexuses = [log_in(number) for number in range(NEXUSES)]
{'cached': cached, 'through': through}[mode](*more)
