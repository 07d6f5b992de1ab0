"""istgt: a user-space target whose threads each serve a connection; it has no null store and no direct I/O."""
import os
import re

from . import processes
from .cells import UNIT_BYTES
from .targets import BASE_NAME, FILE, MEMORY, Target, Unit

CONFIGURATION = """\
[Global]
  NodeBase "{base}"
  PidFile {scratch}/istgt.pid
  AuthFile {scratch}/istgt-auth.conf
  MediaDirectory {scratch}
  LogFacility "local7"
  Timeout 30
  NopInInterval 0
  DiscoveryAuthMethod None
  MaxSessions 64
  MaxConnections 4
  MaxR2T 32
  MaxOutstandingR2T 16
  DefaultTime2Wait 2
  DefaultTime2Retain 60
  FirstBurstLength 262144
  MaxBurstLength 1048576
  MaxRecvDataSegmentLength 262144
  InitialR2T Yes
  ImmediateData Yes
  DataPDUInOrder Yes
  DataSequenceInOrder Yes
  ErrorRecoveryLevel 0
[UnitControl]
  AuthMethod None
  AuthGroup None
  Portal UC1 127.0.0.1:{control}
  Netmask 127.0.0.1
[PortalGroup1]
  Portal DA1 127.0.0.1:{port}
[InitiatorGroup1]
  InitiatorName "ALL"
  Netmask 127.0.0.0/8
"""
UNIT = """\
[LogicalUnit{number}]
  TargetName istgt-{kind}
  Mapping PortalGroup1 InitiatorGroup1
  AuthMethod None
  AuthGroup None
  UseDigest Auto
  UnitType Disk
  QueueDepth 64
  LUN0 Storage {path} {megabytes}MB
"""


class Istgt(Target):
    name = "istgt"

    def start(self):
        scratch, path = self.place.scratch, os.path.join(self.place.scratch, "istgt.conf")
        text = CONFIGURATION.format(base=BASE_NAME, scratch=scratch, port=self.place.port,
                                    control=self.place.port + 1)
        for number, kind in ((1, MEMORY), (2, FILE)):
            if kind in self.place.kinds:
                text += self.add(number, kind)
        for name, content in ((path, text), (os.path.join(scratch, "istgt-auth.conf"), "")):
            with open(name, "w") as f:
                f.write(content)
            os.chmod(name, 0o600)
        self.launch(["istgt", "-c", path, "-D"])
        self.wait_for_port()

    def add(self, number, kind):
        on_disk = kind == FILE
        where = "on disk" if on_disk else "in /dev/shm"
        self.units.append(Unit("istgt", self, kind, self.url(0, f"{BASE_NAME}:istgt-{kind}"),
                               f"file {where}, buffered"))
        return UNIT.format(number=number, kind=kind, path=self.backing_file(kind, on_disk=on_disk),
                           megabytes=UNIT_BYTES >> 20)

    def configuration(self):
        found = re.search(r"version ([^ ]+)", processes.read(self.log))
        return (f"istgt {found.group(1) if found else ''}: command queueing, QueueDepth 64, read and write cache on, "
                "digests as the initiator asks, 512-byte blocks")
