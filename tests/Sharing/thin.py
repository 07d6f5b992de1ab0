#!/usr/bin/env python3
"""thin.py PORTAL1 PORTAL2 TARGET CONTROL...: a thin disk on a file system that comes to its end.

LUN 0 is a thin file of 64 MiB on a file system of 48 MiB, whose threshold is 75%. Two hosts, each through its own
portal. Prints PASS and FAIL lines.
"""
import json
import struct
import subprocess
import sys
import time

from sharing import Host, judge

import libiscsi as iscsi

MEBIBYTE = 1 << 20
BLOCKS = MEBIBYTE // 512
REACHED = (0x38, 0x07)


def write(host, at):
    """A mebibyte whose bytes say where it lies."""
    return host.write(at * BLOCKS, BLOCKS, at + 1)


def is_there(host, at):
    return host.read(at * BLOCKS, BLOCKS).data == bytes([at + 1]) * MEBIBYTE


def unmap(host, at):
    descriptor = struct.pack('>QI4x', at * BLOCKS, BLOCKS)
    return host.command(bytes([0x42, 0, 0, 0, 0, 0, 0, 0, 24, 0]), struct.pack('>HH4x', 22, 16) + descriptor)


def is_told(host, seconds=20):
    """The daemon looks every few seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        seen = host.attentions()
        if seen:
            return seen
        time.sleep(0.2)
    return []


def resources(host):
    """Available and used, in bytes, by the log page."""
    exponent = host.command(bytes([0x12, 1, 0xb2, 0, 64, 0]), read_bytes=64).data[4]
    log = host.command(bytes([0x4d, 0, 0x4c, 0, 0, 0, 0, 0, 64, 0]), read_bytes=64).data
    return [struct.unpack_from('>I', log, at)[0] << exponent + 9 for at in (8, 20)]


def main(portal1, portal2, target, *control):
    a, b = Host('a', portal1, target), Host('b', portal2, target)
    a.attentions(), b.attentions()

    def units():
        done = subprocess.run([*control, 'units', '--json'], capture_output=True, text=True, timeout=60)
        return json.loads(done.stdout)['units'][0]['space']

    good = all(write(a, at).status == iscsi.GOOD for at in range(30))
    judge('30 of 48 MiB are written', good)
    good = all(write(a, at).status == iscsi.GOOD for at in range(30, 38))
    judge('and 38', good)
    for host in (a, b):
        seen = is_told(host)
        judge('%s is told of the threshold, once' % host.letter.upper(), seen == [REACHED], seen)
    space = units()
    judge('scstctl units tells it too', space['isShort'] and space['usedBytes'] == 38 * MEBIBYTE, space)
    left, used = resources(a)
    judge('the log page tells what is left and used', (left, used) == (10 * MEBIBYTE, 38 * MEBIBYTE), (left, used))

    at = 38
    answer = write(a, at)
    while answer.status == iscsi.GOOD and at < 63:
        at += 1
        answer = write(a, at)
    judge('a full store fails the allocation', answer.sense == (iscsi.DATA_PROTECT, 0x27, 0x07), answer)
    judge('what was written is there', all(is_there(b, kept) for kept in range(at)))
    judge('and can be written again', write(b, 3).status == iscsi.GOOD and is_there(a, 3))
    judge('nobody is told twice', a.attentions() == [] and b.attentions() == [])

    judge('room that is given back', all(unmap(b, gone).status == iscsi.GOOD for gone in range(20)))
    judge('is there for others', write(a, at).status == iscsi.GOOD and is_there(b, at))
    end = time.monotonic() + 20
    while units()['isShort'] and time.monotonic() < end:
        time.sleep(0.2)
    judge('the threshold is armed again', not units()['isShort'], units())
    judge('and reached again', all(write(a, again).status == iscsi.GOOD for again in range(12)))
    seen = is_told(b)
    judge('which is told again', seen == [REACHED], seen)
    a.close(), b.close()


if __name__ == '__main__':
    main(*sys.argv[1:])
