"""The daemon with its tape library, and the initiators that are logged in to it."""
import os
import signal
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, __file__.rsplit('/', 2)[0])
import libiscsi as iscsi  # noqa: E402
from tape_model import Broken, Gone  # noqa: E402

TARGET = 'iqn.2026-11.io.scstd.test:tapes'
CHANGER, DRIVES = 0, (1, 2)
SLOTS, IMPORT_EXPORTS = 6, 2
START_SECONDS = 60
SAVE_SECONDS = 1


class Session:
    """One initiator, in the hands of one thread."""

    def __init__(self, name, port):
        self.initiator = iscsi.Initiator(
            'iqn.2026-11.io.scstd.test:%s' % name, '127.0.0.1:%d' % port, TARGET)

    def send(self, lun, cdb, data=b'', read_bytes=0):
        try:
            return self.initiator.send(cdb, data, read_bytes, lun)
        except iscsi.Failed as failed:
            raise Gone() from failed

    def answer(self, command):
        try:
            answer = command.wait()
        except iscsi.Failed as failed:
            raise Gone() from failed
        if answer.status in (iscsi.CANCELLED, iscsi.ERROR, iscsi.TIMED_OUT):
            raise Gone()
        return answer

    def do(self, lun, cdb, data=b'', read_bytes=0):
        return self.answer(self.send(lun, cdb, data, read_bytes))

    def good(self, lun, cdb, data=b'', read_bytes=0):
        answer = self.do(lun, cdb, data, read_bytes)
        if answer.status:
            raise Broken('LUN %d, %s: %r' % (lun, cdb.hex(), answer))
        return answer.data

    def ready(self, lun):
        """Behind unit attentions, and a load that takes its time."""
        end = time.monotonic() + START_SECONDS
        while True:
            answer = self.do(lun, bytes(6))
            if not answer.status:
                return
            if time.monotonic() > end:
                raise Broken('LUN %d does not become ready: %r' % (lun, answer))


class Daemon:
    def __init__(self, program, folder, cartridges):
        self.program, self.folder = program, folder
        listener = socket.socket()
        listener.bind(('127.0.0.1', 0))
        self.port = listener.getsockname()[1]
        listener.close()
        self.config = os.path.join(folder, 'tapes.yaml')
        self.log = os.path.join(folder, 'tapes.log')
        open(self.log, 'wb').close()
        with open(self.config, 'w', encoding='utf-8') as file:
            file.write('''log: {level: warning}
reactors: {count: 2}
control: {enabled: no}
state_directory: tapes-state
libraries:
  library:
    drives: %d
    slots: %d
    import_export: %d
    cartridges: {directory: tapes, create: %d, capacity: 64GiB}
portals: {all: "127.0.0.1:%d"}
targets:
  %s: {luns: {%d: library, %s}, limits: {nop_interval: 0}}
''' % (len(DRIVES), SLOTS, IMPORT_EXPORTS, cartridges, self.port, TARGET, CHANGER,
                ', '.join('%d: library.drive%d' % (lun, n) for n, lun in enumerate(DRIVES, 1))))
        self.process, self.is_killed, self.sessions = None, None, {}

    def start(self):
        self.is_killed = threading.Event()
        self.process = subprocess.Popen([self.program, '--config', self.config], stdout=subprocess.PIPE,
                                        stderr=open(self.log, 'ab'))
        if not self.process.stdout.readline():
            raise Broken('the daemon does not start, see %s' % self.log)
        try:
            self.sessions = {lun: Session('drive%d' % lun, self.port) for lun in DRIVES}
        except iscsi.Failed as failed:
            raise Broken('no login: %s' % failed) from failed
        for session in self.sessions.values():
            session.ready(CHANGER)

    def kill(self):
        self._killer()()

    def kill_after(self, seconds):
        timer = threading.Timer(seconds, self._killer())
        timer.daemon = True
        timer.start()

    def kill_when_saved(self):
        """As soon as the library has another inventory, of which nobody may have heard yet."""
        kill, end = self._killer(), time.monotonic() + SAVE_SECONDS
        path = os.path.join(self.folder, 'tapes-state', 'library@inventory.state')

        def inventory():
            return os.path.exists(path) and os.stat(path).st_ino

        before = inventory()

        def watch():
            while inventory() == before and time.monotonic() < end:
                pass
            kill()

        threading.Thread(target=watch, daemon=True).start()

    def _killer(self):
        """For this process and none that is started later."""
        process, is_killed = self.process, self.is_killed

        def kill():
            is_killed.set()
            process.send_signal(signal.SIGKILL)

        return kill

    def buried(self):
        """The killed one has gone, by that signal and without a complaint."""
        for session in self.sessions.values():
            session.initiator.close()
        status = self.process.wait()
        self.process.stdout.close()
        if status != -signal.SIGKILL:
            raise Broken('the daemon ended by itself, with status %d' % status)
        if os.path.getsize(self.log):
            raise Broken('the daemon complained, see %s' % self.log)

    def check(self, barcodes):
        """`scstd cartridge check` finds each of them whole. Nothing has them open."""
        checks = [(barcode, subprocess.Popen(
            [self.program, 'cartridge', 'check', os.path.join(self.folder, 'tapes', barcode + '.cartridge')],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)) for barcode in barcodes]
        told = [(barcode, check.communicate()[0], check.returncode) for barcode, check in checks]
        for barcode, text, status in told:
            if status:
                raise Broken('%s: %s' % (barcode, text))
