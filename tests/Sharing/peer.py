"""An initiator by its PDUs, for what libiscsi hides: asynchronous messages, the functions of RFC 7144, additional
response information, task attributes, LUNs in any addressing, commands whose data is withheld, CmdSNs of one's choice.
"""
import os
import select
import struct
import subprocess
import sys
import time
import traceback

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
import iscsi  # noqa: E402

NAME = 'iqn.2026-11.io.scstd.test:peer-'

GOOD, CHECK_CONDITION, BUSY, RESERVATION_CONFLICT = 0x00, 0x02, 0x08, 0x18
TASK_SET_FULL, ACA_ACTIVE, TASK_ABORTED = 0x28, 0x30, 0x40
SIMPLE, ORDERED, HEAD_OF_QUEUE, ACA = 1, 2, 3, 4
NACA = 0x04

# Functions, RFC 7143 11.5.1 and RFC 7144 4.3.
(ABORT_TASK, ABORT_TASK_SET, CLEAR_ACA, CLEAR_TASK_SET, LUN_RESET, TARGET_WARM_RESET, TARGET_COLD_RESET, TASK_REASSIGN,
 QUERY_TASK, QUERY_TASK_SET, I_T_NEXUS_RESET, QUERY_ASYNCHRONOUS_EVENT) = range(1, 13)
# Responses, RFC 7143 11.6.1 and RFC 7144 4.4.
(COMPLETE, TASK_DOES_NOT_EXIST, LUN_DOES_NOT_EXIST, STILL_ALLEGIANT, REASSIGNMENT_NOT_SUPPORTED, NOT_SUPPORTED,
 NOT_AUTHORIZED, SUCCEEDED) = range(8)

TEST_UNIT_READY = bytes(6)
ASYNCHRONOUS = 0x32


def judge(name, holds, detail=''):
    if holds:
        print('PASS', name)
    else:
        print('FAIL %s: %s' % (name, str(detail).partition('\n')[0]))
    sys.stdout.flush()


class Failed(Exception):
    pass


class Sense:
    """Fixed or descriptor format (SPC-4 4.5)."""

    def __init__(self, data):
        self.data = data
        self.has_descriptors = data[0] & 0x7f in (0x72, 0x73)
        if self.has_descriptors:
            self.key, self.code = data[1] & 0x0f, tuple(data[2:4])
        else:
            self.key, self.code = data[2] & 0x0f, tuple(data[12:14])


class Task:
    """A command: status None until it has ended."""

    def __init__(self, peer, tag, number, lun, cdb, data_out, withheld):
        self.peer, self.tag, self.number, self.lun, self.cdb = peer, tag, number, lun, cdb
        self.data_out, self.withheld = data_out, withheld
        self.status, self.sense, self.data, self.asked = None, None, b'', []
        self.sent_s = time.monotonic()

    def wait(self, seconds=30):
        self.peer.serve_until(lambda: self.status is not None, seconds)
        return self

    @property
    def attention(self):
        """(code, qualifier) of a unit attention that it reported, or None"""
        return self.sense.code if self.sense and self.sense.key == 6 else None

    def __str__(self):
        if self.status is None:
            return 'no status'
        return 'status %02xh' % self.status + (
            ' %xh %02x/%02x' % (self.sense.key, *self.sense.code) if self.sense else '')


def lun_bytes(lun):
    """A number: peripheral addressing up to 255, flat above (SAM-5 4.7.7). Bytes are as they are."""
    if isinstance(lun, bytes):
        return lun.ljust(8, b'\0')
    return struct.pack('>BB6x', 0, lun) if lun < 256 else struct.pack('>H6x', 0x4000 | lun)


class Peer(iscsi.Connection):
    """A session of one connection, ready for full feature phase."""

    def __init__(self, letter, portal, target, lun=0, **keys):
        host, _, port = portal.rpartition(':')
        super().__init__((host, int(port)), patience_seconds=60)
        self.letter, self.portal, self.target, self.lun = letter, portal, target, lun
        self.tasks, self.events, self.responses, self.rejects, self.closed = {}, [], {}, [], False
        self.most = self.expected = 1
        answer = self.login({
            'InitiatorName': NAME + letter, 'TargetName': target, 'SessionType': 'Normal',
            'HeaderDigest': 'None', 'DataDigest': 'None', 'InitialR2T': 'No', 'ImmediateData': 'Yes',
            'MaxRecvDataSegmentLength': '262144', 'FirstBurstLength': '65536', 'iSCSIProtocolLevel': '2', **keys},
            isid=b'\x80\0\0\0\0' + letter[-1:].encode())
        if not isinstance(answer, iscsi.Pdu) or answer.opcode != iscsi.LOGIN_RESPONSE or answer.head[36:38] != b'\0\0':
            raise Failed('%s cannot log in: %s' % (letter, answer))
        self.keys = dict(pair.split('=', 1) for pair in answer.data.decode().split('\0') if pair)
        self._window(answer.head)

    def name(self):
        return NAME + self.letter

    # ---- Sending -----------------------------------------------------------------------------------------------

    def send_command(self, cdb, data_out=b'', read_bytes=0, lun=None, attribute=SIMPLE, immediate=False, number=None,
                     withheld=False):
        """Data goes with the command, or, withheld, when it is asked for by give()."""
        lun = lun_bytes(self.lun if lun is None else lun)
        tag, own = self.next_tag(), number
        if number is None:
            if not immediate:
                self.serve_until(lambda: self._room() > 0, 30)
            number = self.command_number
            self.command_number += not immediate
        along = data_out if len(data_out) <= 65536 and not withheld else b''
        flags = 0x80 | attribute | (0x20 if data_out else 0) | (0x40 if read_bytes else 0)
        head = iscsi.header(iscsi.COMMAND | (0x40 if immediate else 0), flags, len(along), lun=lun, tag=tag,
                            transfer_tag=struct.pack('>I', len(data_out) or read_bytes),
                            words=(number & 0xffffffff, self.status_number))
        task = Task(self, tag, number, lun, cdb, data_out, withheld)
        if own is None or self.expected <= own <= self.most:
            self.tasks[tag] = task
        self.send_pdu(head[:32] + cdb.ljust(16, b'\0'), along)
        return task

    def command(self, *arguments, seconds=30, **more):
        return self.send_command(*arguments, **more).wait(seconds)

    def give(self, task):
        """The data that the target has asked for."""
        task.withheld = False
        self.serve_until(lambda: task.asked or task.status is not None, 30)
        for transfer_tag, offset, length in task.asked:
            head = iscsi.header(iscsi.DATA_OUT, 0x80, length, lun=task.lun, tag=task.tag, transfer_tag=transfer_tag)
            head = head[:28] + struct.pack('>I8xI4x', self.status_number, offset)
            self.send_pdu(head, task.data_out[offset:offset + length])
        task.asked = []

    def send_function(self, function, task=None, lun=None, immediate=True, number=None, referenced=None):
        """-> its tag. referenced: (tag, CmdSN) of a task that need not exist."""
        tag = self.next_tag()
        task_tag, task_number = referenced or ((task.tag, task.number) if task else (iscsi.NO_TAG, 0))
        if number is None:
            number = self.command_number
            self.command_number += not immediate
        head = iscsi.header(iscsi.TASK_MANAGEMENT if immediate else 0x02, 0x80 | function, 0,
                            lun=lun_bytes(self.lun if lun is None else lun), tag=tag,
                            transfer_tag=struct.pack('>I', task_tag),
                            words=(number & 0xffffffff, self.status_number, task_number & 0xffffffff))
        self.send_pdu(head)
        return tag

    def manage(self, *arguments, seconds=30, **more):
        """-> the response code"""
        return self.answer(self.send_function(*arguments, **more), seconds)[0]

    def answer(self, tag, seconds=30):
        """-> response code and additional response information of a function"""
        self.serve_until(lambda: tag in self.responses, seconds)
        return self.responses.pop(tag)

    # ---- Receiving ---------------------------------------------------------------------------------------------

    def serve(self, seconds=0):
        """Takes what has come; waits at most so long for the first of it. -> whether anything came"""
        came = False
        while not self.closed and select.select([self.socket], [], [], 0 if came else seconds)[0]:
            came = True
            before = self.status_number
            pdu = self.receive()
            if not isinstance(pdu, iscsi.Pdu):
                self.closed = True
                break
            self._take(pdu, before)
        return came

    def serve_until(self, condition, seconds):
        end = time.monotonic() + seconds
        while not condition():
            left = end - time.monotonic()
            if left <= 0 or self.closed:
                raise Failed('%s: %s' % (self.letter, 'the connection ended' if self.closed else
                                         'no answer within %d s' % seconds))
            self.serve(min(left, 0.5))

    def idle(self, seconds):
        """Takes what comes in that time."""
        end = time.monotonic() + seconds
        while not self.closed and (left := end - time.monotonic()) > 0:
            self.serve(left)

    def _take(self, pdu, status_number_before):
        head, data = pdu.head, pdu.data
        tag = struct.unpack('>I', head[16:20])[0]
        task = self.tasks.get(tag)
        ends = pdu.opcode == iscsi.SCSI_RESPONSE or (pdu.opcode == iscsi.DATA_IN and head[1] & 1)
        # Data-In without status, R2T and a ping take no StatSN of their own (RFC 7143 11.7.4, 11.8.4, 11.19.4).
        if not ends and (pdu.opcode in (iscsi.DATA_IN, iscsi.R2T) or (pdu.opcode == iscsi.NOP_IN
                                                                      and tag == iscsi.NO_TAG)):
            self.status_number = status_number_before
        self._window(head)
        if pdu.opcode == iscsi.DATA_IN and task:
            offset = struct.unpack('>I', head[40:44])[0]
            task.data = task.data[:offset].ljust(offset, b'\0') + data
        if ends and task:
            del self.tasks[tag]
            if pdu.opcode == iscsi.SCSI_RESPONSE and len(data) > 2:
                task.sense = Sense(data[2:2 + struct.unpack('>H', data[:2])[0]])
            task.status, task.ended_s = head[3], time.monotonic()
        elif pdu.opcode == iscsi.R2T and task:
            task.asked.append((head[20:24], *struct.unpack('>II', head[40:48])))
            if not task.withheld:
                self.give(task)
        elif pdu.opcode == iscsi.TASK_RESPONSE:
            self.responses[tag] = (head[2], tuple(head[8:11]))
        elif pdu.opcode == ASYNCHRONOUS:
            sense = Sense(data[2:2 + struct.unpack('>H', data[:2])[0]]) if head[36] == 0 else None
            self.events.append((head[36], head[8:16], sense))
        elif pdu.opcode == iscsi.NOP_IN and head[20:24] != b'\xff\xff\xff\xff':
            self.send_pdu(iscsi.header(iscsi.NOP_OUT, 0x80, 0, lun=head[8:16], transfer_tag=head[20:24],
                                       words=(self.command_number, self.status_number)))
        elif pdu.opcode == iscsi.REJECT:
            self.rejects.append(pdu)

    def _window(self, head):
        expected, most = struct.unpack('>II', head[28:36])
        self.expected, self.most = max(self.expected, expected), max(self.most, most)

    def _room(self):
        return self.most - self.command_number + 1

    # ---- Commands by name --------------------------------------------------------------------------------------

    def test_unit_ready(self, lun=None, **more):
        return self.command(TEST_UNIT_READY, lun=lun, **more)

    def read_cdb(self, lba=0, blocks=1, control=0):
        return struct.pack('>BBIBHB', 0x28, 0, lba, 0, blocks, control)

    def read(self, lba=0, blocks=1, lun=None, control=0, **more):
        return self.command(self.read_cdb(lba, blocks, control), read_bytes=512 * blocks, lun=lun, **more)

    def write_cdb(self, lba=0, blocks=1, control=0):
        return struct.pack('>BBIBHB', 0x2a, 0, lba, 0, blocks, control)

    def write(self, lba=0, blocks=1, byte=0x5a, lun=None, **more):
        return self.command(self.write_cdb(lba, blocks), bytes([byte]) * 512 * blocks, lun=lun, **more)

    def send_write(self, lba=0, blocks=1, byte=0x5a, control=0, **more):
        return self.send_command(self.write_cdb(lba, blocks, control), bytes([byte]) * 512 * blocks, **more)

    def send_read(self, lba=0, blocks=1, control=0, **more):
        return self.send_command(self.read_cdb(lba, blocks, control), read_bytes=512 * blocks, **more)

    def request_sense(self, lun=None, descriptors=False):
        return Sense(self.command(bytes([0x03, descriptors, 0, 0, 252, 0]), read_bytes=252, lun=lun).data)

    def inquiry(self, lun=None, page=None):
        cdb = struct.pack('>BBBHB', 0x12, page is not None, page or 0, 255, 0)
        return self.command(cdb, read_bytes=255, lun=lun)

    def report_luns(self, select_report=0, room=4096, lun=None):
        return self.command(struct.pack('>BBBBBBIBB', 0xa0, 0, select_report, 0, 0, 0, room, 0, 0), read_bytes=room,
                            lun=lun)

    def luns(self):
        """The eight bytes of each."""
        data = self.report_luns().data
        return [data[at:at + 8] for at in range(8, 8 + struct.unpack_from('>I', data)[0], 8)]

    def control_page(self, kind=0):
        """The Control mode page's ten bytes. kind: 0 current, 1 changeable, 2 default, 3 saved"""
        return self.command(bytes([0x1a, 0x08, kind << 6 | 0x0a, 0, 64, 0]), read_bytes=64).data[6:16]

    def set_control_page(self, values, save=False):
        return self.command(bytes([0x15, 0x10 | save, 0, 0, 16, 0]), bytes(4) + bytes([0x0a, 10]) + values)

    def change_control(self, save=False, **fields):
        """Fields by their names in SPC-4 7.5.8; all others as they are."""
        page = bytearray(self.control_page())
        for name, value in fields.items():
            offset, shift, mask = CONTROL[name]
            page[offset] = page[offset] & ~(mask << shift) & 0xff | value << shift
        answer = self.set_control_page(bytes(page), save)
        if answer.status != GOOD:
            raise Failed('MODE SELECT %s: %s' % (fields, answer))

    def persist(self, action, key=0, service_key=0, kind=0, control=0):
        data = struct.pack('>QQIBBH', key, service_key, 0, 0, 0, 0)
        return self.command(struct.pack('>BBBBBIB', 0x5f, action, kind, 0, 0, len(data), control), data)

    def attentions(self, lun=None):
        """All that is pending, taken away."""
        taken = []
        while True:
            answer = self.test_unit_ready(lun)
            if answer.attention is None or len(taken) > 32:
                return taken
            taken.append(answer.attention)

    def close(self):
        """The connection is cut, without a word."""
        self.socket.close()
        self.closed = True

    def logout(self):
        self.send_pdu(iscsi.header(iscsi.LOGOUT, 0x80, 0, tag=self.next_tag(), transfer_tag=bytes(4),
                                   words=(self.command_number, self.status_number)))
        while not self.closed:
            self.serve(5)
        self.socket.close()


# name: (byte of the Control mode page without its header, lowest bit, mask), SPC-4 7.5.8
CONTROL = {
    'tst': (0, 5, 7), 'tmf_only': (0, 4, 1), 'dpicz': (0, 3, 1), 'd_sense': (0, 2, 1),
    'queue_algorithm': (1, 4, 15), 'qerr': (1, 1, 3), 'ua_intlck': (2, 4, 3), 'swp': (2, 3, 1), 'tas': (3, 6, 1),
}


def field(page, name):
    offset, shift, mask = CONTROL[name]
    return page[offset] >> shift & mask


def good(task):
    return task.status == GOOD


def words(attentions):
    return ', '.join('%02Xh/%02Xh' % tuple(attention) for attention in attentions) or 'nothing'


class Administrator:
    """scstctl at the daemon's socket."""

    def __init__(self, control):
        self.control = control

    def run(self, *arguments):
        return subprocess.run([*self.control, *arguments], capture_output=True, text=True, timeout=300)

    def __call__(self, *arguments):
        done = self.run(*arguments)
        if done.returncode != 0:
            raise Failed('scstctl %s: %s' % (' '.join(arguments), done.stdout + done.stderr))
        return done.stdout

    def fault(self, unit, effect, *more):
        self('faults', 'add', unit, effect, *more)

    def no_faults(self, *unit):
        self('faults', 'clear', *unit)


def run(scenarios):
    """Each by itself: that one did not come to its end is told, and the next begins."""
    for scenario in scenarios:
        try:
            scenario()
        except Exception as failure:
            judge(scenario.__name__, False, '%s %s' % (type(failure).__name__, failure))
            traceback.print_exc()
