#!/usr/bin/env python3
"""Say to a target what no initiator should, and judge what it does.

usage: malformed.py [--match GLOB] ADDRESS:PORT TARGET

TARGET asks for no authentication, accepts header and data digests, and its LUN 0 is a disk of 512-byte blocks; the
daemon's login_timeout is at most 3 s. After each case a bystander, who has been logged in all the time, must still be
served. Each case says which answers RFC 7143 allows; silence is one only where it is named.
"""
import argparse
import fnmatch
import struct
import sys

sys.path.insert(0, __file__.rsplit('/', 2)[0])
from iscsi import (CLOSED, COMMAND, DATA_IN, DATA_OUT, LOGIN, LOGIN_RESPONSE, LOGOUT, LOGOUT_RESPONSE,  # noqa: E402
                   NOP_IN, NOP_OUT, R2T, REJECT, SCSI_RESPONSE, SILENT, SNACK, TASK_MANAGEMENT, TASK_RESPONSE, TEXT,
                   TEXT_RESPONSE, Connection, Pdu, digest, header, keys_text)

# Reject reasons (section 11.17.1)
DATA_DIGEST_ERROR, SNACK_REJECT, PROTOCOL_ERROR, NOT_SUPPORTED, TASK_IN_PROGRESS, INVALID_FIELD = 2, 3, 4, 5, 7, 9
READ, WRITE = 0x40, 0x20
TEST_UNIT_READY = bytes(6)
CASES = []


def case(function):
    CASES.append(function)
    return function


class Bench:
    def __init__(self, address, target):
        self.address, self.target = address, target

    def keys(self, **more):
        keys = {'InitiatorName': 'iqn.2026-11.io.scstd.test:malformed', 'SessionType': 'Normal',
                'TargetName': self.target, 'HeaderDigest': 'None', 'DataDigest': 'None', 'InitialR2T': 'Yes',
                'ImmediateData': 'Yes', 'MaxRecvDataSegmentLength': '65536', 'FirstBurstLength': '8192',
                'MaxBurstLength': '16384', 'ErrorRecoveryLevel': '0'}
        keys.update(more)
        return {key: value for key, value in keys.items() if value is not None}

    def connect(self):
        return Connection(self.address)

    def session(self, name='malformed', **more):
        """A session in full feature phase whose first unit attention is taken."""
        connection = self.connect()
        answer = connection.login(self.keys(InitiatorName='iqn.2026-11.io.scstd.test:' + name, **more))
        if not isinstance(answer, Pdu) or answer.opcode != LOGIN_RESPONSE or answer.head[36] != 0:
            raise AssertionError('login failed: %s' % answer)
        connection.status(TEST_UNIT_READY)
        return connection


def rejected(pdu, *reasons):
    return isinstance(pdu, Pdu) and pdu.opcode == REJECT and pdu.head[2] in reasons


def is_opcode(pdu, opcode):
    return isinstance(pdu, Pdu) and pdu.opcode == opcode


def login_status(pdu):
    return struct.unpack('>H', pdu.head[36:38])[0] if is_opcode(pdu, LOGIN_RESPONSE) else pdu


def login_refused(pdu):
    status = login_status(pdu)
    return pdu == CLOSED or (isinstance(status, int) and status >> 8 == 2)


def write10(blocks, lba=0):
    return struct.pack('>BBIBHB', 0x2a, 0, lba, 0, blocks, 0)


def read10(blocks, lba=0):
    return struct.pack('>BBIBHB', 0x28, 0, lba, 0, blocks, 0)


def data_out(connection, request, data, offset=0, number=0, transfer_tag=None, final=True):
    """What answers an R2T."""
    tag = struct.unpack('>I', request.head[16:20])[0]
    return header(DATA_OUT, 0x80 if final else 0, len(data), lun=request.head[8:16], tag=tag,
                  transfer_tag=transfer_tag or request.head[20:24],
                  words=(0, connection.status_number, 0, number, offset)), data


def failed_or_dropped(pdu):
    """The task ends without GOOD, or the PDU is rejected, or the connection is over."""
    return pdu == CLOSED or is_opcode(pdu, REJECT) or (is_opcode(pdu, SCSI_RESPONSE) and pdu.head[2:4] != b'\0\0')


@case
def garbage_instead_of_a_login(bench):
    """Section 6.3: nothing but a Login Request may begin a connection."""
    with bench.connect() as connection:
        connection.send(b'GET / HTTP/1.1\r\nHost: storage.example.com\r\nAccept: */*\r\n\r\n' * 2)
        answer = connection.receive()
        return answer == CLOSED or is_opcode(answer, REJECT) or login_refused(answer), answer


@case
def a_command_before_the_login(bench):
    with bench.connect() as connection:
        connection.command(TEST_UNIT_READY)
        answer = connection.receive()
        return answer == CLOSED or is_opcode(answer, REJECT) or login_status(answer) == 0x020b, answer


@case
def silence_instead_of_a_login(bench):
    """The daemon's login_timeout bounds it."""
    with bench.connect() as connection:
        answer = connection.receive()
        return login_refused(answer), answer


@case
def half_a_header(bench):
    with bench.connect() as connection:
        connection.send(connection.login_pdu(bench.keys())[0][:20])
        answer = connection.receive()
        return login_refused(answer), answer


def login_case(name, expected, **how):
    def run(bench):
        keys = bench.keys(**how.get('keys', {}))
        with bench.connect() as connection:
            connection.send_pdu(*connection.login_pdu(keys, **how.get('header', {})))
            answer = connection.receive()
            return login_status(answer) in expected, answer
    run.__name__ = name
    CASES.append(run)


login_case('login_without_a_name', (0x0207,), keys={'InitiatorName': None})
login_case('login_without_a_target', (0x0207,), keys={'TargetName': None})
login_case('login_to_an_unknown_target', (0x0203,), keys={'TargetName': 'iqn.2026-11.io.scstd.test:nobody'})
login_case('login_of_a_version_to_come', (0x0205,), header={'version': 7})
login_case('login_to_a_session_that_is_not_there', (0x020a,), header={'tsih': 0x7fff})
login_case('login_of_an_unknown_kind', (0x0209, 0x0200), keys={'SessionType': 'Sideways'})
login_case('login_that_jumps_backwards', (0x0200, 0x020b, CLOSED), header={'flags': 0x84})
login_case('login_with_T_and_C', (0x0200, 0x020b, CLOSED), header={'flags': 0xc7})
login_case('login_with_a_number_out_of_range', (0x0000, 0x0200, CLOSED), keys={'MaxBurstLength': '1'})
login_case('login_with_a_number_that_is_none', (0x0000, 0x0200, CLOSED), keys={'MaxBurstLength': '0xGG'})


@case
def login_keys_of_any_size(bench):
    """Section 6.1: key names to 63 bytes, values to 255 unless said otherwise: longer ones are the peer's fault."""
    for text in (b'X' * 64 + b'=1\0', b'X-long=' + b'y' * 8000 + b'\0', b'no equals sign\0', b'=\0', b'\0\0\0',
                 b'\xff' * 512):
        with bench.connect() as connection:
            text = keys_text(bench.keys()) + text
            connection.send_pdu(header(LOGIN, 0x87, len(text), lun=b'\x80\0\0\0\0\1\0\0', tag=0, words=(1, 0)), text)
            answer = connection.receive()
            if not (answer == CLOSED or is_opcode(answer, LOGIN_RESPONSE) or is_opcode(answer, REJECT)):
                return False, '%r: %s' % (text[-20:], answer)
    return True, ''


@case
def login_text_without_an_end(bench):
    with bench.connect() as connection:
        text = keys_text(bench.keys())[:-1]
        connection.send_pdu(header(LOGIN, 0x87, len(text), lun=b'\x80\0\0\0\0\1\0\0', tag=0, words=(1, 0)), text)
        answer = connection.receive()
        return answer == CLOSED or is_opcode(answer, LOGIN_RESPONSE) or is_opcode(answer, REJECT), answer


@case
def login_that_never_ends(bench):
    """A text in endless pieces (C bit): the target must stop keeping it."""
    with bench.connect() as connection:
        piece = b'X' * 8000
        for _ in range(2000):
            connection.send_pdu(header(LOGIN, 0x44, len(piece), lun=b'\x80\0\0\0\0\1\0\0', tag=0, words=(1, 0)), piece)
            answer = connection.receive()
            if not is_opcode(answer, LOGIN_RESPONSE) or login_status(answer) != 0:
                return login_refused(answer) or is_opcode(answer, REJECT), answer
        return False, '16 MB of text were taken'


@case
def login_longer_than_declared(bench):
    """Section 13.12: 8192 bytes is the most that a login PDU may carry."""
    with bench.connect() as connection:
        connection.send(header(LOGIN, 0x87, 0xffffff, lun=b'\x80\0\0\0\0\1\0\0', tag=0, words=(1, 0)) + bytes(65536))
        answer = connection.receive()
        return login_refused(answer) or is_opcode(answer, REJECT), answer


@case
def an_unknown_opcode(bench):
    with bench.session() as connection:
        connection.send_pdu(header(0x1b, 0x80, 0, tag=77, words=(connection.command_number,)))
        answer = connection.receive()
        return rejected(answer, NOT_SUPPORTED, PROTOCOL_ERROR, INVALID_FIELD) or answer == CLOSED, answer


@case
def a_targets_opcode(bench):
    with bench.session() as connection:
        connection.send_pdu(header(0x21, 0x80, 0, tag=77, words=(connection.command_number,)))
        answer = connection.receive()
        return rejected(answer, NOT_SUPPORTED, PROTOCOL_ERROR, INVALID_FIELD) or answer == CLOSED, answer


@case
def a_second_login(bench):
    with bench.session() as connection:
        connection.send_pdu(*connection.login_pdu(bench.keys()))
        answer = connection.receive()
        return is_opcode(answer, REJECT) or login_refused(answer), answer


@case
def a_segment_longer_than_declared(bench):
    """MaxRecvDataSegmentLength bounds what the target receives (section 13.12)."""
    with bench.session() as connection:
        connection.send(header(NOP_OUT, 0x80, 0xffffff, tag=5, words=(connection.command_number,)) + bytes(65536))
        answer = connection.receive()
        return is_opcode(answer, REJECT) or answer == CLOSED, answer


@case
def additional_headers_of_nonsense(bench):
    with bench.session() as connection:
        head = header(COMMAND, 0x81, 0, tag=9, transfer_tag=bytes(4), words=(connection.command_number, 0), ahs=255)
        connection.send(head + b'\xff' * 1020)
        answer = connection.receive()
        return isinstance(answer, Pdu) or answer == CLOSED, answer


@case
def two_tasks_of_one_tag(bench):
    with bench.session() as connection:
        connection.command(write10(16), WRITE, 8192, tag=4242)
        if not is_opcode(connection.receive(), R2T):
            return False, 'no R2T'
        connection.command(TEST_UNIT_READY, tag=4242)
        answer = connection.receive()
        return rejected(answer, TASK_IN_PROGRESS, PROTOCOL_ERROR, INVALID_FIELD) or answer == CLOSED, answer


@case
def more_immediate_data_than_negotiated(bench):
    """FirstBurstLength bounds what comes unasked (section 13.14)."""
    with bench.session() as connection:
        connection.command(write10(64), WRITE, 32768, data=bytes(32768))
        answer = connection.receive()
        return failed_or_dropped(answer), answer


@case
def more_immediate_data_than_expected(bench):
    """Nothing of it may be written beyond the length that the command named."""
    with bench.session() as connection:
        connection.command(write10(1), WRITE, 512, data=bytes(2048))
        answer = connection.receive()
        return failed_or_dropped(answer), answer


def data_case(name, **how):
    def run(bench):
        with bench.session() as connection:
            connection.command(write10(16), WRITE, 8192)
            request = connection.receive()
            if not is_opcode(request, R2T):
                return False, 'no R2T but %s' % request
            connection.send_pdu(*data_out(connection, request, how.pop('data', bytes(8192)), **how))
            answer = connection.receive()
            return failed_or_dropped(answer), answer
    run.__name__ = name
    CASES.append(run)


data_case('data_beyond_what_was_asked_for', data=bytes(16384))
data_case('data_at_an_offset_nobody_asked_for', offset=4096)
data_case('data_out_of_sequence', number=3)
data_case('data_with_another_transfer_tag', transfer_tag=b'\x7f\x7f\x7f\x7f')
data_case('less_data_than_was_asked_for', data=bytes(4096))


@case
def data_that_nobody_asked_for(bench):
    with bench.session() as connection:
        head = header(DATA_OUT, 0x80, 512, tag=999, transfer_tag=b'\0\0\0\5', words=(0, connection.status_number))
        connection.send_pdu(head, bytes(512))
        answer = connection.receive()
        return is_opcode(answer, REJECT) or answer in (CLOSED, SILENT), answer


@case
def a_wrong_header_digest(bench):
    """Section 7.8: the header cannot be trusted, so nothing after it can be found."""
    with bench.session(HeaderDigest='CRC32C', DataDigest='CRC32C') as connection:
        head = header(NOP_OUT, 0x80, 0, tag=5, words=(connection.command_number, connection.status_number))
        connection.send(head + bytes(4))
        answer = connection.receive()
        return answer == CLOSED, answer


@case
def a_wrong_data_digest(bench):
    """Section 7.8: Reject with the reason data digest error, and the task fails; or the connection does."""
    with bench.session(HeaderDigest='CRC32C', DataDigest='CRC32C') as connection:
        head = header(COMMAND, 0x81 | WRITE, 512, tag=5, transfer_tag=struct.pack('>I', 512),
                      words=(connection.command_number, connection.status_number))
        head = head[:32] + write10(1).ljust(16, b'\0')
        connection.send(head + digest(head) + bytes(512) + bytes(4))
        answer = connection.receive()
        return rejected(answer, DATA_DIGEST_ERROR) or failed_or_dropped(answer), answer


@case
def right_digests(bench):
    """So that the two cases before are known to fail for the right reason."""
    with bench.session(HeaderDigest='CRC32C', DataDigest='CRC32C') as connection:
        status = connection.status(write10(1), flags=WRITE, length=512, data=b'\x5a' * 512)
        return status == 0, status


@case
def a_snack_without_recovery(bench):
    """ErrorRecoveryLevel 0 knows no SNACK (section 11.16)."""
    with bench.session() as connection:
        connection.send_pdu(header(SNACK, 0x80, 0, tag=3, words=(0, connection.status_number)))
        answer = connection.receive()
        return rejected(answer, SNACK_REJECT, PROTOCOL_ERROR, NOT_SUPPORTED) or answer == CLOSED, answer


@case
def a_command_far_ahead(bench):
    """Section 4.2.2.1: outside the window, non-immediate commands are silently ignored; the next one is served."""
    with bench.session() as connection:
        connection.command(TEST_UNIT_READY, number=connection.command_number + 100000)
        connection.command(TEST_UNIT_READY, number=connection.command_number - 1)
        status = connection.status(TEST_UNIT_READY)
        return status == 0, status


@case
def commands_out_of_order(bench):
    """Section 4.2.2.1: delivered in the order of CmdSN, whatever the order of arrival."""
    with bench.session() as connection:
        first = connection.command_number
        later = connection.command(TEST_UNIT_READY, number=first + 1)
        earlier = connection.command(TEST_UNIT_READY, number=first)
        connection.command_number = first + 2
        answers = [connection.receive(), connection.receive()]
        tags = [struct.unpack('>I', pdu.head[16:20])[0] for pdu in answers if is_opcode(pdu, SCSI_RESPONSE)]
        return sorted(tags) == sorted([later, earlier]), tags


@case
def an_unknown_task_management_function(bench):
    """Section 11.6.1: 5, task management function not supported."""
    with bench.session() as connection:
        connection.send_pdu(header(TASK_MANAGEMENT, 0x80 | 99, 0, tag=8, words=(connection.command_number,)))
        answer = connection.receive()
        return (is_opcode(answer, TASK_RESPONSE) and answer.head[2] in (5, 255)) or is_opcode(answer, REJECT), answer


@case
def an_abort_of_nothing(bench):
    """Section 11.6.1: 1, task does not exist."""
    with bench.session() as connection:
        connection.send_pdu(header(TASK_MANAGEMENT, 0x81, 0, tag=8, transfer_tag=b'\0\0\x30\x39', words=(
            connection.command_number, connection.status_number, connection.command_number)))
        answer = connection.receive()
        return is_opcode(answer, TASK_RESPONSE) and answer.head[2] == 1, answer


@case
def a_logout_of_another_connection(bench):
    """Section 11.15.1: 1, CID not found."""
    with bench.session() as connection:
        connection.send_pdu(header(LOGOUT, 0x81, 0, tag=8, transfer_tag=b'\0\x63\0\0', words=(
            connection.command_number,)))
        answer = connection.receive()
        return is_opcode(answer, LOGOUT_RESPONSE) and answer.head[2] == 1, answer


@case
def a_text_of_nonsense(bench):
    with bench.session() as connection:
        text = b'X-nonsense=1\0'
        connection.send_pdu(header(TEXT | 0x40, 0x80, len(text), tag=8, words=(connection.command_number,)), text)
        answer = connection.receive()
        return is_opcode(answer, TEXT_RESPONSE) and b'X-nonsense=NotUnderstood' in answer.data, answer


@case
def a_ping_with_all_its_data(bench):
    """Section 11.19: it comes back whole."""
    with bench.session() as connection:
        data = bytes(range(256)) * 16
        connection.send_pdu(header(NOP_OUT, 0x80, len(data), tag=8, words=(connection.command_number,)), data)
        answer = connection.receive()
        return is_opcode(answer, NOP_IN) and answer.data == data, answer


@case
def an_answer_to_a_ping_never_sent(bench):
    with bench.session() as connection:
        connection.send_pdu(header(NOP_OUT, 0x80, 0, transfer_tag=b'\0\0\0\7', words=(connection.command_number,)))
        status = connection.status(TEST_UNIT_READY)
        return status in (0, CLOSED) or is_opcode(status, REJECT), status


@case
def a_lun_of_every_form(bench):
    """SAM-5 4.7: no unit, or nonsense: CHECK CONDITION, LOGICAL UNIT NOT SUPPORTED."""
    with bench.session() as connection:
        for lun in ('ffffffffffffffff', '4007000000000000', 'c102000000000000', 'd200000100000000', '0000000100000000'):
            head = header(COMMAND, 0x81, 0, lun=bytes.fromhex(lun), tag=connection.next_tag(), transfer_tag=bytes(4),
                          words=(connection.command_number, connection.status_number))
            connection.command_number += 1
            connection.send_pdu(head)
            answer = connection.receive()
            if not is_opcode(answer, SCSI_RESPONSE) or answer.head[3] != 2:
                return False, '%s: %s' % (lun, answer)
        return True, ''


@case
def a_reader_that_does_not_read(bench):
    """Its answers wait for it; nobody else does."""
    with bench.session() as connection:
        for _ in range(64):
            connection.command(read10(2048), READ, 1048576)
        with bench.session('reader') as other:
            statuses = [other.status(read10(8), flags=READ, length=4096) for _ in range(16)]
        return statuses == [0] * 16, statuses


@case
def both_directions_at_once(bench):
    """READ and WRITE set, without the length that would belong to it (section 11.3.1)."""
    with bench.session() as connection:
        connection.command(read10(1), READ | WRITE, 512)
        answer = connection.receive()
        return isinstance(answer, Pdu) or answer == CLOSED, answer


@case
def a_write_that_is_called_a_read(bench):
    """The CDB says what is transferred; nothing may be written that did not come."""
    with bench.session() as connection:
        connection.command(write10(1), READ, 512)
        answer = connection.receive()
        return is_opcode(answer, SCSI_RESPONSE) or is_opcode(answer, DATA_IN) or failed_or_dropped(answer), answer


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--match', default='*')
    parser.add_argument('portal', metavar='ADDRESS:PORT')
    parser.add_argument('target')
    arguments = parser.parse_args()
    host, port = arguments.portal.rsplit(':', 1)
    bench = Bench((host.strip('[]'), int(port)), arguments.target)
    bystander = bench.session('bystander')
    failures = 0
    for run in CASES:
        if not fnmatch.fnmatchcase(run.__name__, arguments.match):
            continue
        try:
            good, answer = run(bench)
            served = bystander.status(TEST_UNIT_READY)
        except (AssertionError, OSError) as error:
            good, answer, served = False, error, 'not asked'
        if good and served == 0:
            print('PASS malformed %s' % run.__name__, flush=True)
        else:
            failures += 1
            print('FAIL malformed %s: %s; the bystander got %s' % (run.__name__, answer, served), flush=True)
    sys.exit(1 if failures else 0)


if __name__ == '__main__':
    main()
