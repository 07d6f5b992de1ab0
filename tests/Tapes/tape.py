"""A changer and tape drives over libiscsi: what the checks of this stage say to them."""
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import libiscsi  # noqa: E402

BLOCK_BYTES = 256 * 1024
NOT_READY, MEDIUM_ERROR, BLANK_CHECK, VOLUME_OVERFLOW = 0x2, 0x3, 0x8, 0xd
FILEMARK, EARLY_WARNING = 0x80, 0x40    # in byte 2 of the sense data


class Unexpected(Exception):
    """A command ended otherwise than it had to."""


def good(answer, what):
    if answer.status != libiscsi.GOOD:
        raise Unexpected(f'{what}: {answer}')
    return answer


def flags_of(answer):
    return answer.sense_data[2] if len(answer.sense_data) > 2 else 0


class Changer:
    """By SMC-3; elements are numbered from 1 on, as scstctl does."""

    def __init__(self, initiator, lun):
        self.initiator, self.lun = initiator, lun
        self.forget_attentions()
        page = good(self._command([0x1a, 0x08, 0x1d, 0, 0xff, 0], read_bytes=255), 'MODE SENSE of the changer').data[4:]
        self.robot, _, self.first_slot, self.slots, _, _, self.first_drive, self.drives = (
            int.from_bytes(page[2 + 2 * i:4 + 2 * i], 'big') for i in range(8))

    def _command(self, cdb, **more):
        return self.initiator.command(bytes(cdb), lun=self.lun, **more)

    def forget_attentions(self):
        while (answer := self._command([0] * 6)).sense and answer.sense[0] == libiscsi.UNIT_ATTENTION:
            pass

    def move(self, source, destination):
        return self._command([0xa5, 0, *self.robot.to_bytes(2, 'big'), *source.to_bytes(2, 'big'),
                              *destination.to_bytes(2, 'big'), 0, 0, 0, 0])

    def load(self, slot, drive):
        return self.move(self.first_slot + slot - 1, self.first_drive + drive - 1)

    def unload(self, drive, slot):
        return self.move(self.first_drive + drive - 1, self.first_slot + slot - 1)


class Drive:
    """By SSC-4, in variable block mode."""

    def __init__(self, initiator, lun):
        self.initiator, self.lun = initiator, lun

    def command(self, cdb, **more):
        return self.initiator.command(bytes(cdb), lun=self.lun, **more)

    def ready(self, seconds=30):
        """TEST UNIT READY, until neither a unit attention nor a drive that becomes ready stands in the way."""
        end = time.monotonic() + seconds
        while True:
            answer = self.command([0] * 6)
            is_passing = answer.sense and (answer.sense[0] == libiscsi.UNIT_ATTENTION or
                                           answer.sense[:2] == (NOT_READY, 0x04) and answer.sense[2] == 0x01)
            if not is_passing or time.monotonic() > end:
                return answer

    def rewind(self):
        return self.command([0x01, 0, 0, 0, 0, 0])

    def filemark(self):
        return self.command([0x10, 0, 0, 0, 1, 0])

    def locate(self, position):
        return self.command([0x2b, 0, 0, *position.to_bytes(4, 'big'), 0, 0, 0])

    def send_write(self, data):
        return self.initiator.send(bytes([0x0a, 0, *len(data).to_bytes(3, 'big'), 0]), data_out=data, lun=self.lun)

    def write(self, data):
        return self.send_write(data).wait()

    # SILI: a shorter record is no error (SSC-4 READ (6)).
    def send_read(self, size=BLOCK_BYTES):
        return self.initiator.send(bytes([0x08, 0x02, *size.to_bytes(3, 'big'), 0]), read_bytes=size, lun=self.lun)

    def read(self, size=BLOCK_BYTES):
        return self.send_read(size).wait()
