"""Just enough iSCSI (RFC 7143 section 11) to say what a well-behaved initiator never says."""
import socket
import struct

# Login, Logout, NOP-Out and task management are sent as immediate ones (40h).
LOGIN, LOGOUT, NOP_OUT, COMMAND, TASK_MANAGEMENT, TEXT, DATA_OUT, SNACK = (
    0x43, 0x46, 0x40, 0x01, 0x42, 0x04, 0x05, 0x10)
LOGIN_RESPONSE, SCSI_RESPONSE, TASK_RESPONSE, DATA_IN, R2T, LOGOUT_RESPONSE, NOP_IN, TEXT_RESPONSE, REJECT = (
    0x23, 0x21, 0x22, 0x25, 0x31, 0x26, 0x20, 0x24, 0x3f)
NO_TAG = 0xffffffff
CLOSED = 'closed'
SILENT = 'silent'


def header(opcode, flags, length, lun=bytes(8), tag=NO_TAG, transfer_tag=b'\xff\xff\xff\xff', words=(), ahs=0):
    """The basic header segment: words fill it from byte 24 on."""
    if opcode == LOGIN:     # bytes 20-23 are the CID there
        transfer_tag = bytes(4)
    body = struct.pack('>BB2xB3s8sI4s', opcode, flags, ahs, length.to_bytes(3, 'big'), lun, tag, transfer_tag)
    return (body + b''.join(struct.pack('>I', word) for word in words)).ljust(48, b'\0')


def pad(data):
    return data + bytes(-len(data) % 4)


def keys_text(keys):
    return ''.join('%s=%s\0' % pair for pair in keys.items()).encode()


def crc_table():
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = value >> 1 ^ (0x82f63b78 if value & 1 else 0)
        yield value


CRC_TABLE = tuple(crc_table())


def digest(data):
    """CRC32C as it stands after a header or a data segment (section 13.1)."""
    value = 0xffffffff
    for byte in data:
        value = CRC_TABLE[(value ^ byte) & 0xff] ^ value >> 8
    return struct.pack('<I', value ^ 0xffffffff)


class Pdu:
    def __init__(self, head, data):
        self.head, self.data = head, data
        self.opcode = head[0] & 0x3f

    def __str__(self):
        return 'opcode %02xh %s %s' % (self.opcode, self.head[1:4].hex(), self.data[:64])


class Connection:
    """A blocking connection. What the target does not say within its patience counts as silence."""

    def __init__(self, address, patience_seconds=5):
        self.socket = socket.create_connection(address, patience_seconds)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.digests = False
        self.tag, self.command_number, self.status_number = 0, 1, 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        """What a target that has closed does not take is no error: what matters is how it closed."""
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def send_pdu(self, head, data=b''):
        data = pad(data)
        if self.digests:
            head, data = head + digest(head), data + digest(data) if data else b''
        self.send(head + data)

    def receive(self):
        """-> the next PDU, CLOSED or SILENT"""
        try:
            head = self.exactly(48)
            if head is None:
                return CLOSED
            if self.digests:
                self.exactly(4)
            data = self.exactly(head[4] * 4 + (int.from_bytes(head[5:8], 'big') + 3 & ~3))
            if self.digests and data:
                self.exactly(4)
        except socket.timeout:
            return SILENT
        except ConnectionResetError:
            return CLOSED
        if data is None:
            return CLOSED
        self.status_number = struct.unpack('>I', head[24:28])[0] + 1 & 0xffffffff
        return Pdu(head, data[:int.from_bytes(head[5:8], 'big')])

    def exactly(self, length):
        data = b''
        while len(data) < length:
            piece = self.socket.recv(length - len(data))
            if not piece:
                return None
            data += piece
        return data

    def login_pdu(self, keys, flags=0x87, isid=b'\x80\0\0\0\0\1', tsih=0, version=0):
        head = header(LOGIN, flags, len(keys_text(keys)), lun=isid + struct.pack('>H', tsih), tag=0,
                      words=(self.command_number, self.status_number))
        return head[:2] + bytes((version, version)) + head[4:], keys_text(keys)

    def login(self, keys, **more):
        """Straight from the operational stage to full feature phase."""
        self.send_pdu(*self.login_pdu(keys, **more))
        answer = self.receive()
        self.digests = 'HeaderDigest' in keys and keys['HeaderDigest'] == 'CRC32C'
        return answer

    def next_tag(self):
        self.tag += 1
        return self.tag

    def command(self, cdb, flags=0, length=0, data=b'', lun=0, tag=None, number=None):
        """One SCSI Command PDU; CmdSN goes up unless a number is given."""
        tag = self.next_tag() if tag is None else tag
        if number is None:
            number, self.command_number = self.command_number, self.command_number + 1
        head = header(COMMAND, 0x81 | flags, len(data), lun=struct.pack('>BB6x', 0, lun), tag=tag,
                      transfer_tag=struct.pack('>I', length), words=(number, self.status_number))
        self.send_pdu(head[:32] + cdb.ljust(16, b'\0'), data)
        return tag

    def status(self, *arguments, **more):
        """-> the status byte of a command, or what came instead of a response"""
        tag = self.command(*arguments, **more)
        while True:
            pdu = self.receive()
            if not isinstance(pdu, Pdu):
                return pdu
            ends = pdu.opcode == SCSI_RESPONSE or (pdu.opcode == DATA_IN and pdu.head[1] & 1)
            if ends and struct.unpack('>I', pdu.head[16:20])[0] == tag:
                return pdu.head[3]
            if pdu.opcode == REJECT:
                return pdu
