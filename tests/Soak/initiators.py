#!/usr/bin/env python3
"""Crowds of initiators that open, half of them logging in, and die at random.

usage: initiators.py [--seconds N] [--crowd N] [--seed N] ADDRESS:PORT TARGET

Each of CROWD initiators opens a connection, goes as far as its luck takes it (a few bytes of a header, half a login,
a session with commands under way, a polite logout) and dies there: by a reset, by closing, or after sitting idle.
Then it begins anew, until the time is over. One line of JSON on standard output counts what happened; the seed in it
repeats the same choices (not the same timing). The exit status is 1 if no login or no command ever succeeded: then
nothing was tested.
"""
import argparse
import asyncio
import json
import random
import socket
import struct
import sys
import time
from collections import Counter

sys.path.insert(0, __file__.rsplit('/', 2)[0])
from iscsi import (COMMAND, DATA_IN, DATA_OUT, LOGIN, LOGIN_RESPONSE, LOGOUT, LOGOUT_RESPONSE, NOP_IN,  # noqa: E402
                   NOP_OUT, R2T, SCSI_RESPONSE, TASK_MANAGEMENT, header, keys_text, pad)

BLOCK = 512
# A dead peer must be noticed by the target, not by us; this only bounds our own patience.
PATIENCE_SECONDS = 20


class Died(Exception):
    """This initiator's life is over, as it chose."""


class Initiator:
    def __init__(self, crowd, number):
        self.crowd = crowd
        self.luck = random.Random('%d/%d' % (crowd.seed, number))
        self.number = number
        self.reader = self.writer = None
        self.tag = self.command_number = self.status_number = 0

    async def live(self):
        while time.monotonic() < self.crowd.end:
            try:
                await asyncio.wait_for(self.one_life(), PATIENCE_SECONDS)
            except Died:
                pass
            except ConnectionRefusedError:
                self.crowd.count['nobody listens'] += 1
                await asyncio.sleep(0.5)
            except asyncio.TimeoutError:
                self.crowd.count['out of patience'] += 1
            except (ConnectionError, asyncio.IncompleteReadError, OSError):
                self.crowd.count['closed by the target'] += 1
            finally:
                self.die()

    async def one_life(self):
        self.tag, self.command_number, self.status_number = 0, 1, 0
        self.reader, self.writer = await asyncio.open_connection(*self.crowd.address)
        self.crowd.count['opened'] += 1
        if self.luck.random() < 0.5:
            await self.die_before_login()
        await self.login()
        for _ in range(self.luck.randrange(8)):
            await self.luck.choice(self.deeds)(self)
        if self.luck.random() < 0.25:
            await self.logout()

    def die(self):
        if self.writer is None:
            return
        if self.luck.random() < 0.5 and not self.writer.is_closing():   # a reset instead of a polite end of stream
            raw = self.writer.get_extra_info('socket')
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
            self.writer.transport.abort()
        self.writer.close()
        self.writer = None

    async def pause(self):
        await asyncio.sleep(self.luck.random() * self.luck.choice((0.01, 0.1, 1.0)))

    async def die_before_login(self):
        how = self.luck.randrange(5)
        self.crowd.count['died before login'] += 1
        if how == 1:
            await self.send_raw(self.login_pdu()[:self.luck.randrange(1, 200)])
        elif how == 2:
            await self.send_raw(self.luck.randbytes(self.luck.randrange(1, 4096)))
        elif how == 3:      # a header that promises data which never comes
            await self.send_raw(header(LOGIN, 0x87, 65535, tag=1))
        elif how == 4:      # the first half of a login in two PDUs (C bit)
            await self.send_raw(self.login_pdu(flags=0x44))
        await self.pause()
        raise Died

    def login_pdu(self, flags=0x87):
        # Some come back under the name and ISID of their former life, so that sessions are reinstated too.
        again = self.luck.random() < 0.3
        isid = struct.pack('>BBHH', 0x80, 0, self.number, 1 if again else self.luck.randrange(2, 65536))
        text = keys_text({'InitiatorName': 'iqn.2026-11.io.scstd.test:soak%d' % self.number, 'SessionType': 'Normal',
                          'TargetName': self.crowd.target, 'HeaderDigest': 'None', 'DataDigest': 'None',
                          'InitialR2T': 'Yes', 'ImmediateData': 'Yes', 'MaxRecvDataSegmentLength': '65536',
                          'ErrorRecoveryLevel': '0'})
        return header(LOGIN, flags, len(text), lun=isid + b'\0\0', tag=0, words=(self.command_number, 0)) + pad(text)

    async def login(self):
        await self.send_raw(self.login_pdu())
        opcode, head, _ = await self.receive()
        if opcode != LOGIN_RESPONSE or head[36] != 0:
            self.crowd.count['login refused'] += 1
            raise Died
        self.crowd.count['logged in'] += 1
        # TEST UNIT READY takes the unit attention that every new nexus finds (SAM-5 5.14).
        await self.send_command(0x00, 0, 0)
        await self.until_response()

    async def read(self):
        await self.send_command(0x28, self.luck.randrange(1, 256), 0x40)
        if self.luck.random() < 0.7:
            await self.until_response()

    async def write(self):
        blocks = self.luck.randrange(1, 128)
        tag = await self.send_command(0x2a, blocks, 0x20)
        opcode, head, _ = await self.receive()
        if opcode != R2T:
            return
        offset, wanted = struct.unpack('>II', head[40:48])
        sent = wanted if self.luck.random() < 0.7 else self.luck.randrange(wanted)
        data = header(DATA_OUT, 0x80, sent, lun=self.lun(), tag=tag, transfer_tag=head[20:24],
                      words=(0, self.status_number, 0, 0, offset)) + pad(bytes(sent))
        if sent < wanted:       # dies amid its data
            await self.send_raw(data[:self.luck.randrange(1, len(data))])
            await self.pause()
            raise Died
        await self.send_raw(data)
        await self.until_response()

    async def read_without_listening(self):
        for _ in range(16):
            await self.send_command(0x28, 255, 0x40)
        await self.pause()
        raise Died

    async def abort(self):
        tag = await self.send_command(0x2a, 64, 0x20)
        self.tag += 1
        await self.send_raw(header(TASK_MANAGEMENT, 0x81, 0, lun=self.lun(), tag=self.tag,
                                   transfer_tag=struct.pack('>I', tag), words=(self.command_number,)))
        await self.pause()

    async def ping(self):
        self.tag += 1
        await self.send_raw(header(NOP_OUT, 0x80, 5, tag=self.tag, words=(self.command_number,)) + pad(b'hello'))
        await self.until(NOP_IN)

    async def garbage(self):
        await self.send_raw(self.luck.randbytes(self.luck.randrange(48, 512)))
        await self.pause()
        raise Died

    async def logout(self):
        self.tag += 1
        await self.send_raw(header(LOGOUT, 0x80, 0, tag=self.tag, transfer_tag=bytes(4),
                                   words=(self.command_number,)))
        await self.until(LOGOUT_RESPONSE)
        self.crowd.count['logged out'] += 1

    deeds = (read, read, write, write, read_without_listening, abort, ping, garbage)

    def lun(self):
        return struct.pack('>BB6x', 0, self.crowd.lun)

    async def send_command(self, opcode, blocks, flags):
        self.tag += 1
        cdb = struct.pack('>BBIBHB', opcode, 0, self.luck.randrange(1024, 65536) if blocks else 0, 0, blocks, 0)
        pdu = header(COMMAND, 0x81 | flags, 0, lun=self.lun(), tag=self.tag,
                     transfer_tag=struct.pack('>I', blocks * BLOCK), words=(self.command_number, self.status_number))
        self.command_number += 1
        await self.send_raw(pdu[:32] + cdb.ljust(16, b'\0'))
        self.crowd.count['commands'] += 1
        return self.tag

    async def until_response(self):
        """A response, or Data-In that bears the status (RFC 7143 section 11.7.3)."""
        while True:
            opcode, head, _ = await self.receive()
            if opcode == SCSI_RESPONSE or (opcode == DATA_IN and head[1] & 1):
                self.crowd.count['responses'] += 1
                self.crowd.count['good' if head[3] == 0 else 'not good'] += 1
                return

    async def until(self, wanted):
        while (await self.receive())[0] != wanted:
            pass

    async def receive(self):
        head = await self.reader.readexactly(48)
        length = int.from_bytes(head[5:8], 'big')
        data = await self.reader.readexactly(head[4] * 4 + (length + 3 & ~3))
        self.status_number = struct.unpack('>I', head[24:28])[0] + 1 & 0xffffffff
        return head[0] & 0x3f, head, data

    async def send_raw(self, data):
        self.writer.write(data)
        await self.writer.drain()


class Crowd:
    def __init__(self, arguments):
        host, port = arguments.portal.rsplit(':', 1)
        self.address = (host.strip('[]'), int(port))
        self.target, self.lun, self.seed = arguments.target, arguments.lun, arguments.seed
        self.size = arguments.crowd
        self.end = time.monotonic() + arguments.seconds
        self.count = Counter()

    async def live(self):
        """Until the time is over; who is alive then dies where it stands."""
        lives = [asyncio.create_task(Initiator(self, number).live()) for number in range(self.size)]
        done, alive = await asyncio.wait(lives, timeout=self.end - time.monotonic())
        for life in alive:
            life.cancel()
        for outcome in await asyncio.gather(*lives, return_exceptions=True):
            if isinstance(outcome, Exception):
                raise outcome


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--seconds', type=float, default=60)
    parser.add_argument('--crowd', type=int, default=1000, help='how many are alive at any time (1000)')
    parser.add_argument('--seed', type=int, default=int(time.time()))
    parser.add_argument('--lun', type=int, default=0)
    parser.add_argument('portal', metavar='ADDRESS:PORT')
    parser.add_argument('target')
    crowd = Crowd(parser.parse_args())
    asyncio.run(crowd.live())
    print(json.dumps(dict(crowd.count, seed=crowd.seed), sort_keys=True))
    sys.exit(0 if crowd.count['logged in'] and crowd.count['good'] else 1)


if __name__ == '__main__':
    main()
