#!/usr/bin/env python3
"""Kills the daemon while it streams to tapes and moves cartridges, and looks what is where and on the tapes then.

usage: tapes.py [--kills N] [--seed N] SCSTD FOLDER

Two drives are written at once, with many commands under way: records of all lengths, also many of one command,
filemarks, synchronisations; now and then a drive goes back and overwrites, or erases. One of the cartridges is never
erased and grows over the whole run. In other rounds only one drive is written, and the robot moves and exchanges
cartridges between all places, the other drive among them, which writes a little to each that it gets. At a moment of
chance, in these rounds while a cartridge is on its way, the daemon is killed (SIGKILL) and started again, which loads
its drives by itself. Then

- `scstd cartridge check` must find each cartridge whole that was touched;
- READ ELEMENT STATUS must show every cartridge once, each place as by the moves that were answered, and by the one that
  was under way either not or altogether;
- each cartridge that was touched must hold what every command that was answered has written, synchronised or not,
  and of those under way so many, from the first on, bit for bit. Of the one that grows all that is new is read, and
  elsewhere LOCATE and SPACE must lead where the model says.

In the end every cartridge is read from its beginning.

This is about the end of a process, not of the power: for that the tests of the store cut its writes at every point.
A daemon that ends by itself, lets its initiators go before it is killed, or logs an error is a violation, too.

The last line of standard output begins with "N kills" and ends with "N violations"; the status is 1 if there was one.
"""
import argparse
import collections
import random
import sys
import threading
import time

from tape_daemon import CHANGER, DRIVES, IMPORT_EXPORTS, SLOTS, Daemon
from tape_model import (ERASE, FIRST_DRIVE, FIRST_SLOT, LOCATE, LONGEST, MARK, WRITE, Broken, Gone, Library, Step, Tape,
                        content, new_record, read_elements)

BARCODES = tuple('A0000%dL8' % n for n in range(1, 6))
GROWS = BARCODES[0]
LONG_ENOUGH = 300       # objects; then a tape is erased
INTERVAL = 512          # objects for each index node
BLOCK = 100             # bytes; many of one command
DEPTHS = 1, 2, 8, 32
LONG_BEFORE = 10000     # objects on the cartridge that grows, before the first kill
BLANK_CHECK, FILEMARK = (8, 0x00, 0x05), (0, 0x00, 0x01)
TO_END_OF_DATA, ERASE_HERE = bytes((0x11, 3, 0, 0, 0, 0)), bytes((0x19, 0, 0, 0, 0, 0))
READ_POSITION_LONG = bytes((0x34, 6, 0, 0, 0, 0, 0, 0, 0, 0))
READ_ELEMENT_STATUS = bytes((0xb8, 0x10, 0, 0, 0xff, 0xff, 0, 0, 0x40, 0, 0, 0))
SAMPLES = 8
# If not one of so many kills has met a move, or writes in a queue, this has not tested what it says.
KILLS_THAT_MEET_ALL = 20


def locate(number):
    return bytes((0x2b, 0, 0)) + number.to_bytes(4, 'big') + bytes(3)


def locate_file(number):
    return bytes((0x92, 1 << 3, 0, 0)) + number.to_bytes(8, 'big') + bytes(4)


def space_filemarks(count):
    return bytes((0x11, 1)) + count.to_bytes(3, 'big', signed=True) + b'\0'


def drive_address(lun):
    return FIRST_DRIVE + DRIVES.index(lun)


class Writer:
    """Writes to the cartridge in one drive, many commands at a time."""

    def __init__(self, session, lun, tape, dice, depth):
        self.session, self.lun, self.tape, self.dice, self.depth = session, lun, tape, dice, depth
        self.under_way = collections.deque()
        self.counts = collections.Counter()
        self.session.ready(lun)
        # Blocks of this length where a command is for many; buffered mode.
        self.session.good(lun, bytes((0x15, 0x10, 0, 0, 12, 0)),
                          bytes((0, 0, 0x10, 8, 0, 0, 0, 0, 0)) + BLOCK.to_bytes(3, 'big'))
        self.locate(tape.length)

    def stream(self):
        """Until the daemon is gone."""
        while True:
            self.one()

    def one(self):
        tape, dice = self.tape, self.dice.random()
        if not tape.grows and tape.next > LONG_ENOUGH:
            self.locate(0)
            self.send(ERASE_HERE, Step(ERASE, synchronises=True))
        elif dice < 0.015 and tape.next > 10:
            self.locate(tape.length - self.dice.randrange(min(INTERVAL, tape.length)) if tape.grows
                        else self.dice.randrange(tape.next))
        elif dice < 0.05:
            self.filemarks(0, is_immediate=False)
        elif dice < 0.11:
            self.filemarks(self.dice.choice((1, 1, 1, 2, 5)), is_immediate=self.dice.random() < 0.5)
        elif dice < (0.5 if tape.grows else 0.15):
            self.blocks(self.dice.choice((1, 10, 100)))
        elif tape.grows:
            self.record(self.dice.randrange(1, 4000))
        else:
            self.record(self.dice.choice((1, 100, 512, 4096, 10240, 65536, LONGEST, self.dice.randrange(1, 131072))))

    def grow(self, length):
        """To so many objects, quickly."""
        while self.tape.next < length:
            self.blocks(100)
            self.filemarks(self.dice.randrange(1, 9), is_immediate=True)
        self.drain()

    def locate(self, number):
        self.send(locate(number), Step(LOCATE, to=number))

    def filemarks(self, count, is_immediate):
        self.send(bytes((0x10, is_immediate, 0, 0, count, 0)),
                  Step(WRITE, [MARK] * count, synchronises=not is_immediate))

    def record(self, length):
        one = new_record(length)
        self.send(bytes((0x0a, 0)) + length.to_bytes(3, 'big') + b'\0', Step(WRITE, [one]), content(one))

    def blocks(self, count):
        some = [new_record(BLOCK) for _ in range(count)]
        self.send(bytes((0x0a, 1)) + count.to_bytes(3, 'big') + b'\0', Step(WRITE, some), b''.join(map(content, some)))

    def send(self, cdb, step, data=b''):
        while len(self.under_way) >= self.depth:
            self.wait()
        self.tape.sent(step)
        self.under_way.append((self.session.send(self.lun, cdb, data), step))

    def wait(self):
        """For the oldest."""
        command, step = self.under_way[0]
        answer = self.session.answer(command)
        if answer.status:
            raise Broken('%s, %s to object %d of %d: %r' % (
                self.tape.barcode, step.kind, self.tape.position, len(self.tape), answer))
        self.done(step)

    def done(self, step):
        self.under_way.popleft()
        self.tape.answered()
        marks = sum(one is MARK for one in step.objects)
        self.counts.update(records=len(step.objects) - marks, marks=marks, synchronisations=step.synchronises)

    def drain(self):
        while self.under_way:
            self.wait()

    def settle(self):
        """The daemon is gone: what else was answered, and how much was not."""
        while self.under_way and (answer := self.under_way[0][0].answer) and answer.status == 0:
            self.done(self.under_way[0][1])
        self.counts['queued'] += len(self.under_way)


class Robot:
    """Moves cartridges between all places but the other drive, and writes to what comes into its own."""

    def __init__(self, world, lun, dice):
        self.world, self.lun, self.dice = world, lun, dice
        self.daemon, self.library, self.tapes = world.daemon, world.library, world.tapes
        self.session = self.daemon.sessions[lun]
        self.own = drive_address(lun)
        self.others = [drive_address(other) for other in DRIVES if other != lun]
        self.counts = collections.Counter()
        self.writer = None
        self.deadline, self.usual = float('inf'), 0.0       # seconds

    def roam(self, seconds):
        """Until the daemon is gone, which is killed when a move begins after so long."""
        self.deadline = time.monotonic() + seconds
        while True:
            self.carry(self.legs())
            if self.library.at(self.own):
                self.write_a_little()

    def legs(self):
        """Any move that there is; the drive takes part in many of them."""
        full = [address for address in self.library.places if address not in self.others]
        free = self.library.free(self.others)
        source = self.own if self.own in full and self.dice.random() < 0.5 else self.dice.choice(full)
        first = self.own if self.own != source and self.dice.random() < 0.5 else self.dice.choice(free)
        if first in free and self.dice.random() < 0.6:
            return [(source, first)]
        if first in free:
            first = self.dice.choice([address for address in full if address != source])
        return [(source, first), (first, self.dice.choice([source, *free]))]

    def carry(self, legs):
        for source, _ in legs:
            self.tapes[self.library.at(source)].is_touched = True
        places = [0, legs[0][0], *(to for _, to in legs)]
        words = b''.join(address.to_bytes(2, 'big') for address in places)
        cdb = (b'\xa5\0' if len(legs) == 1 else b'\xa6\0') + words + bytes(4 if len(legs) == 1 else 2)
        leaving = self.library.at(self.own) if self.own in dict(legs) else None
        begun = time.monotonic()
        if begun > self.deadline:
            self.deadline = float('inf')
            if self.dice.random() < 0.5:
                self.daemon.kill_when_saved()
            else:
                self.daemon.kill_after(self.dice.uniform(0, 1.3 * self.usual))
        self.library.sent(legs)
        answer = self.session.do(CHANGER, cdb)
        if answer.status:
            raise Broken('%s from %s: %r' % (cdb.hex(), self.library.places, answer))
        self.usual = time.monotonic() - begun
        self.library.answered()
        if leaving:
            self.tapes[leaving].unloaded()
        self.counts.update(moves=1, exchanges=len(legs) - 1)
        if self.own in (to for _, to in legs):
            self.tapes[self.library.at(self.own)].loaded()
            self.session.ready(self.lun)

    def write_a_little(self):
        self.writer = Writer(self.session, self.lun, self.tapes[self.library.at(self.own)], self.dice, depth=8)
        for _ in range(self.dice.randrange(6)):
            self.writer.one()
        self.writer.drain()
        self.counts.update(self.writer.counts)
        self.writer = None

    def settle(self):
        if self.writer:
            self.writer.settle()
            self.counts.update(self.writer.counts)


class Reader:
    """Holds what is on a cartridge against its model. Nobody else uses the drive."""

    def __init__(self, session, lun, tape, dice):
        self.session, self.lun, self.tape, self.dice = session, lun, tape, dice

    def read(self, start):
        """All from this object on."""
        self.session.good(self.lun, locate(start))
        found, under_way = [], collections.deque()
        read = bytes((0x08, 2)) + LONGEST.to_bytes(3, 'big') + b'\0'
        while True:
            while len(under_way) < 8:
                under_way.append(self.session.send(self.lun, read, read_bytes=LONGEST))
            answer = self.session.answer(under_way.popleft())
            if answer.sense == BLANK_CHECK:
                break
            if answer.status and answer.sense != FILEMARK:
                raise Broken('%s, object %d: %r' % (self.tape.barcode, start + len(found), answer))
            found.append(MARK if answer.sense == FILEMARK else answer.data)
        while under_way:
            self.session.answer(under_way.popleft())
        return found

    def examine(self, is_all=False):
        """The model becomes what is found, if it may be that."""
        tape = self.tape
        self.session.ready(self.lun)
        self.session.good(self.lun, TO_END_OF_DATA)
        length, files = self.position()
        candidates = tape.candidates(length)
        if not candidates:
            raise Broken('%s has %d objects; %d were answered, %d synchronised, and it may have %s' % (
                tape.barcode, length, len(tape), tape.sure, tape.lengths()))
        # Behind what was read before, and the index nodes where that ends.
        first = min([tape.seen, *(keep for keep, _ in candidates)])
        start = 0 if is_all or not tape.grows else max(0, first - INTERVAL - 1)
        found = self.read(start)
        if start + len(found) != length:
            raise Broken('%s has %d objects, and %d can be read' % (tape.barcode, length, start + len(found)))
        differences = [tape.difference(candidate, start, found) for candidate in candidates]
        if None not in differences:
            raise Broken('%s: object %d of %d is not what was written there; %d were answered, %d synchronised' % (
                tape.barcode, max(differences), length, len(tape), tape.sure))
        tape.adopt(candidates[differences.index(None)])
        marks = [number for number, one in enumerate(tape.objects) if one is MARK]
        if files != len(marks):
            raise Broken('%s has %d filemarks, and the drive tells %d' % (tape.barcode, len(marks), files))
        if tape.grows and length:
            self.sample(marks)

    def position(self):
        data = self.session.good(self.lun, READ_POSITION_LONG, read_bytes=32)
        return int.from_bytes(data[8:16], 'big'), int.from_bytes(data[16:24], 'big')

    def sample(self, marks):
        """Objects here and there, and the ways to them."""
        objects = self.tape.objects
        for number in (self.dice.randrange(len(objects)) for _ in range(SAMPLES)):
            self.leads(locate(number), number)
            answer = self.session.do(self.lun, bytes((0x08, 2)) + LONGEST.to_bytes(3, 'big') + b'\0', b'', LONGEST)
            one = MARK if answer.sense == FILEMARK else answer.data
            if self.tape.difference((len(objects), []), number, [one]) is not None:
                raise Broken('%s: object %d is not what was written there: %r' % (self.tape.barcode, number, answer))
            before = sum(mark <= number for mark in marks)
            if before:
                count = self.dice.randint(1, before)
                self.leads(space_filemarks(-count), marks[before - count])
                count = self.dice.randint(1, len(marks) - before + count)
                self.leads(space_filemarks(count), marks[self.index + count - 1] + 1)
                file = self.dice.randint(1, len(marks))
                self.leads(locate_file(file), marks[file - 1] + 1)

    def leads(self, cdb, number):
        self.session.good(self.lun, cdb)
        found, self.index = self.position()
        if found != number:
            raise Broken('%s: %s leads to object %d instead of %d' % (self.tape.barcode, cdb.hex(), found, number))


class World:
    def __init__(self, program, folder, seed):
        self.random = random.Random(seed)
        self.daemon = Daemon(program, folder, len(BARCODES))
        self.tapes = {barcode: Tape(barcode, grows=barcode == GROWS) for barcode in BARCODES}
        self.library = Library(SLOTS, IMPORT_EXPORTS, len(DRIVES), BARCODES)
        self.counts = collections.Counter()

    def dice(self):
        return random.Random(self.random.random())

    def load(self, lun, barcode):
        """This cartridge is in the drive, by the robot."""
        robot, own = Robot(self, lun, self.dice()), drive_address(lun)
        source, there = self.library.find(barcode), self.library.at(own)
        if source != own and there:
            robot.carry([(source, own), (own, source)])
        elif source != own:
            robot.carry([(source, own)])
        self.counts.update(robot.counts)

    def begin(self):
        """The cartridge that grows has some levels of index nodes."""
        lun = DRIVES[0]
        self.load(lun, GROWS)
        writer = Writer(self.daemon.sessions[lun], lun, self.tapes[GROWS], self.dice(), depth=8)
        writer.grow(LONG_BEFORE)
        self.counts.update(writer.counts)

    def mount(self):
        """A cartridge in each drive, others now and then."""
        for lun in DRIVES:
            free = [one for one in BARCODES if self.library.find(one) not in map(drive_address, DRIVES)]
            if self.library.at(drive_address(lun)) is None or self.random.random() < 0.3:
                self.load(lun, GROWS if GROWS in free and self.random.random() < 0.7 else self.random.choice(free))

    def run(self, workers):
        """Each a thread of its own, until the daemon is killed. Whoever ends before that has found something."""
        wrong = []

        def work(job):
            try:
                job()
            except Gone as gone:
                if not self.daemon.is_killed.is_set():
                    wrong.append(Broken('an initiator was let go before the daemon was killed: %s' % gone.__cause__))
            except BaseException as exception:  # pylint: disable=broad-except
                wrong.append(exception)
            if not self.daemon.is_killed.is_set():
                self.daemon.kill()

        threads = [threading.Thread(target=work, args=(job,)) for job in workers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if wrong:
            raise wrong[0]

    def round(self, has_robot):
        self.mount()
        luns = list(DRIVES)
        seconds = self.random.uniform(0.02, 0.4)
        robot = Robot(self, luns.pop(self.random.randrange(len(luns))), self.dice()) if has_robot else None
        writers = [Writer(self.daemon.sessions[lun], lun, self.tapes[self.library.at(drive_address(lun))], self.dice(),
                          self.random.choice(DEPTHS)) for lun in luns]
        if not robot:
            self.daemon.kill_after(seconds)
        self.run([writer.stream for writer in writers] + ([lambda: robot.roam(seconds)] if robot else []))
        for worker in [*writers, *([robot] if robot else [])]:
            worker.settle()
            self.counts.update(worker.counts)
        self.daemon.buried()
        self.look()

    def look(self):
        """The daemon has been killed."""
        touched = [barcode for barcode, tape in self.tapes.items() if tape.is_touched]
        self.daemon.check(touched)
        self.daemon.start()
        session = self.daemon.sessions[DRIVES[0]]
        is_move = self.library.under_way is not None
        is_done = self.library.adopt(read_elements(session.good(CHANGER, READ_ELEMENT_STATUS, b'', 0x4000)))
        self.counts['done' if is_done else 'not_done'] += is_move
        for lun in DRIVES:
            barcode = self.library.at(drive_address(lun))
            if barcode:
                self.examine(lun, barcode)
        for barcode in touched:
            if self.tapes[barcode].is_touched:
                self.load(DRIVES[1], barcode)
                self.examine(DRIVES[1], barcode)

    def examine(self, lun, barcode, is_all=False):
        Reader(self.daemon.sessions[lun], lun, self.tapes[barcode], self.dice()).examine(is_all)

    def look_at_all(self):
        """In the end, of each cartridge everything."""
        for barcode in BARCODES:
            if self.library.find(barcode) != drive_address(DRIVES[0]):
                self.load(DRIVES[1], barcode)
            lun = DRIVES[self.library.find(barcode) != drive_address(DRIVES[0])]
            self.examine(lun, barcode, is_all=True)
        self.daemon.kill()
        self.daemon.buried()
        self.daemon.check(BARCODES)

    def summary(self, kills):
        counts = self.counts
        return ('%d kills, %d records, %d filemarks, %d synchronisations, %d commands queued when killed, %d moves '
                '(%d of them exchanges), %d moves under way when killed (%d done, %d not), %d objects on the longest '
                'tape' % (kills, counts['records'], counts['marks'], counts['synchronisations'], counts['queued'],
                          counts['moves'], counts['exchanges'], counts['done'] + counts['not_done'], counts['done'],
                          counts['not_done'], len(self.tapes[GROWS])))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--kills', type=int, default=40)
    parser.add_argument('--seed', type=int, default=int(time.time()))
    parser.add_argument('program')
    parser.add_argument('folder')
    options = parser.parse_args()
    # A thread that makes data must not keep one from its moment.
    sys.setswitchinterval(0.0005)
    world = World(options.program, options.folder, options.seed)
    violations = kills = 0
    try:
        world.daemon.start()
        world.begin()
        for kills in range(1, options.kills + 1):
            world.round(has_robot=kills % 5 in (1, 3))
        world.look_at_all()
        if kills >= KILLS_THAT_MEET_ALL and not (
                world.counts['queued'] and world.counts['done'] + world.counts['not_done']):
            raise Broken('no kill has met a move under way, or none has met commands in a queue')
    except (Broken, Gone) as broken:
        violations = 1
        print('seed %d, kill %d: %s' % (
            options.seed, kills, broken if broken.args else 'the daemon let its initiator go, see ' + world.daemon.log))
    finally:
        world.daemon.process.kill()
        world.daemon.process.wait()
    print('%s, %d violations' % (world.summary(kills), violations))
    return violations


if __name__ == '__main__':
    sys.exit(main())
