"""tgt: the user-space target that most distributions have."""
import subprocess

from . import processes
from .targets import BASE_NAME, DIRECT, FILE, MANY, MANY_BYTES, MANY_LUNS, MEMORY, NULL, Target, Unit

FIRST_OF_MANY = 10


class Tgt(Target):
    """Its store rdwr does buffered I/O on 16 threads of each unit, aio does direct I/O by the kernel's own interface,
    and null does nothing."""
    name = "tgt"
    label = "tgt"
    takes_many_sessions = True
    SETTINGS = {"MaxRecvDataSegmentLength": "262144", "FirstBurstLength": "262144", "MaxBurstLength": "1048576",
                "ImmediateData": "Yes", "InitialR2T": "Yes", "HeaderDigest": "CRC32C,None",
                "DataDigest": "CRC32C,None"}

    def admin(self, *words, check=True):
        command = ["tgtadm", "-C", str(self.place.port), "--lld", "iscsi", *words]
        return subprocess.run(command, check=check, capture_output=True, timeout=20).returncode == 0

    def start(self):
        self.launch(["tgtd", "-f", "-C", str(self.place.port), "--iscsi", f"portal=127.0.0.1:{self.place.port}"])
        self.wait_for_port()
        processes.wait_until(lambda: self.admin("--op", "show", "--mode", "target", check=False), 10,
                             "tgt's control socket", self.process)
        self.admin("--op", "new", "--mode", "target", "--tid", "1", "-T", f"{BASE_NAME}:{self.name}")
        for key, value in self.SETTINGS.items():
            self.admin("--op", "update", "--mode", "target", "--tid", "1", "--name", key, "--value", value)
        for kind in self.place.kinds:
            self.add_kind(kind)
        self.admin("--op", "bind", "--mode", "target", "--tid", "1", "-I", "ALL")

    def add_kind(self, kind):
        if kind == MEMORY:
            self.add(1, "rdwr", self.backing_file(MEMORY), kind, "file in /dev/shm, buffered")
        elif kind == FILE:
            self.add(2, "rdwr", self.backing_file(FILE, on_disk=True), kind, "file on disk, buffered")
        elif kind == DIRECT:
            self.add(3, "aio", self.backing_file(DIRECT, on_disk=True), kind, "file on disk, direct")
        elif kind == NULL:
            self.add(4, "null", "/dev/null", kind, "null")
        elif kind == MANY:
            for lun in range(FIRST_OF_MANY, FIRST_OF_MANY + MANY_LUNS):
                path = self.backing_file(f"{MANY}{lun}", MANY_BYTES)
                self.add(lun, "rdwr", path, kind, "files in /dev/shm, buffered")

    def add(self, lun, store, path, kind, backing):
        self.admin("--op", "new", "--mode", "logicalunit", "--tid", "1", "--lun", str(lun), "-b", path,
                   "--bstype", store)
        if self.unit(self.label, kind) is None:
            self.units.append(Unit(self.label, self, kind, self.url(lun), backing))

    def stop(self):
        """It ignores SIGTERM while it has a target."""
        if self.process is not None and self.process.poll() is None:
            self.admin("--op", "delete", "--mode", "target", "--tid", "1", "--force", check=False)
            self.admin("--op", "delete", "--mode", "system", check=False)
        processes.stop(self.process, 3)

    def configuration(self):
        version = subprocess.run(["tgtd", "-V"], capture_output=True, text=True).stdout.strip()
        return (f"{self.name} {version}: backing store rdwr (its 16 threads a unit), aio for direct I/O, write cache "
                "on, digests as the initiator asks, 512-byte blocks")


class FreeTgt(Tgt):
    """The same on all CPUs."""
    name = "tgt-free"
    label = "tgt, any CPU"
    takes_many_sessions = False
