"""What may be on a tape, and where cartridges may lie, when the daemon was killed in the middle of it.

A tape is a line of objects, and what was sent for it and is not answered yet are steps, in their order: after a kill so
many of them have been done, from the first on. A library is what READ ELEMENT STATUS shows; while a command moves
something it is as before or as behind that command.
"""
import collections
import itertools
import random

MARK = 'filemark'
LONGEST = 400 * 1024        # more than an initiator may send unasked
LOCATE, WRITE, ERASE = 'LOCATE', 'WRITE', 'ERASE'

_POOL = random.Random(1).randbytes(2 * 1024 * 1024)
_stamps = itertools.count(1)

TRANSPORT, STORAGE, IMPORT_EXPORT, DRIVE = 1, 2, 3, 4
FIRST_TRANSPORT, FIRST_IMPORT_EXPORT, FIRST_DRIVE, FIRST_SLOT = 0x0001, 0x0010, 0x0100, 0x1000


class Broken(Exception):
    """A promise was not kept."""


class Gone(Exception):
    """The daemon was killed in the middle of it."""


def new_record(length):
    """A record that is like no other: number and length, from which follows what is in it."""
    return next(_stamps), length


def content(record):
    stamp, length = record
    if stamp % 3 == 0:
        return (b'%d ' % stamp * length)[:length]
    start = stamp * 7919 % (len(_POOL) - LONGEST)
    return (stamp.to_bytes(8, 'big') + _POOL[start:start + length])[:length]


def is_same(one, found):
    """Whether what was read, MARK or bytes, is this object."""
    if one is MARK or found is MARK:
        return one is found
    return len(found) == one[1] and found == content(one)


class Step(collections.namedtuple('Step', 'kind objects to synchronises', defaults=((), None, False))):
    """What one command does: LOCATE to an object, WRITE objects at the position, ERASE from there on."""


class Tape:
    def __init__(self, barcode, grows):
        self.barcode, self.grows = barcode, grows
        self.objects, self.position = [], 0     # by all that was answered
        self.sure = 0                           # so many of them were synchronised
        self.seen = 0                           # so many are as they were when they were last read
        self.under_way = collections.deque()
        self.next, self.length = 0, 0           # position and length behind all that was sent
        self.is_touched = False

    def __len__(self):
        return len(self.objects)

    def sent(self, step):
        self.is_touched = True
        self.under_way.append(step)
        if step.kind == LOCATE:
            self.next = step.to
        elif step.kind == ERASE or step.objects:
            self.next += len(step.objects)
            self.length = self.next

    def answered(self):
        """The oldest that is under way, with GOOD."""
        step = self.under_way.popleft()
        if step.kind == LOCATE:
            self.position = step.to
            return
        if step.kind == ERASE or step.objects:
            del self.objects[self.position:]
            self.sure, self.seen = min(self.sure, self.position), min(self.seen, self.position)
            self.objects += step.objects
            self.position = len(self.objects)
        if step.synchronises:
            self.sure = len(self.objects)

    def candidates(self, length):
        """What of this length may be there: so many of what was answered, and then these."""
        return [(keep, extra[:]) for keep, extra in self._states() if keep + len(extra) == length]

    def lengths(self):
        return sorted({keep + len(extra) for keep, extra in self._states()})

    def _states(self):
        keep, extra, position = len(self.objects), [], self.position
        yield keep, extra
        for step in self.under_way:
            if step.kind == LOCATE:
                position = step.to
                continue
            # What is overwritten ends before what takes its place is there.
            if (step.kind == ERASE or step.objects) and position < keep + len(extra):
                del extra[max(0, position - keep):]
                keep = min(keep, position)
                yield keep, extra
            for one in step.objects:
                extra.append(one)
                position += 1
                yield keep, extra

    def difference(self, candidate, start, found):
        """The first object from there on that is another; None: they are all the same."""
        keep, extra = candidate
        for number, one in enumerate(found, start):
            if not is_same(self.objects[number] if number < keep else extra[number - keep], one):
                return number
        return None

    def adopt(self, candidate):
        keep, extra = candidate
        self.objects[keep:] = extra
        self.under_way.clear()
        self.sure = self.seen = self.length = len(self.objects)
        self.is_touched = False

    def loaded(self):
        """Into a drive: at its beginning."""
        self.position = self.next = 0

    def unloaded(self):
        """By the robot, which is answered when the drive has synchronised it."""
        self.sure = len(self.objects)


class Library:
    """Places by their addresses, and what lies there: (barcode, the slot it was last moved out of or None)."""

    def __init__(self, slots, import_exports, drives, barcodes):
        self.addresses = {
            FIRST_TRANSPORT: TRANSPORT,
            **{FIRST_IMPORT_EXPORT + n: IMPORT_EXPORT for n in range(import_exports)},
            **{FIRST_DRIVE + n: DRIVE for n in range(drives)},
            **{FIRST_SLOT + n: STORAGE for n in range(slots)}}
        self.places = {FIRST_SLOT + n: (barcode, None) for n, barcode in enumerate(barcodes)}
        self.under_way = None       # the places behind the command that is

    def find(self, barcode):
        return next(address for address, (tag, _) in self.places.items() if tag == barcode)

    def at(self, address):
        """The barcode there, or None."""
        return self.places.get(address, (None, None))[0]

    def free(self, but=()):
        return [address for address, kind in self.addresses.items()
                if kind != TRANSPORT and address not in self.places and address not in but]

    def sent(self, legs):
        behind = {address: what for address, what in self.places.items() if address not in dict(legs)}
        for source, to in legs:
            barcode, slot = self.places[source]
            behind[to] = barcode, source if self.addresses[source] == STORAGE else slot
        self.under_way = behind

    def answered(self):
        self.places, self.under_way = self.under_way, None

    def adopt(self, found):
        """What READ ELEMENT STATUS has shown after a kill; True: the command that was under way is done."""
        lying = [one[-1] for one in found.values() if one[-1]]
        for barcode, _ in self.places.values():
            if lying.count(barcode) != 1:
                raise Broken('%s is in the library %d times' % (barcode, lying.count(barcode)))
        for places in filter(None, (self.under_way, self.places)):
            if found == self._shown(places):
                is_done = self.under_way is not None and places is self.under_way
                self.places, self.under_way = places, None
                return is_done
        raise Broken('; '.join(
            self._unlike(found, places, which) for places, which in (
                (self.places, 'before the move under way' if self.under_way else 'by all moves'),
                (self.under_way, 'behind it')) if places is not None))

    def _shown(self, places):
        return {address: self._descriptor(address, kind, *places.get(address, (None, None)))
                for address, kind in self.addresses.items()}

    def _descriptor(self, address, kind, barcode, slot):
        """Type, flags, sense, SVALID and medium type, source, barcode. What lies in a drive is loaded."""
        is_full = int(barcode is not None)
        access = {TRANSPORT: 0, STORAGE: 8, IMPORT_EXPORT: 0x38, DRIVE: 0 if is_full else 8}[kind]
        return kind, access | is_full, 0, (0x80 if slot else 0) | is_full, slot or 0, barcode

    def _unlike(self, found, places, which):
        shown = self._shown(places)
        wrong = ['%04x shows %s where %s should be' % (address, found.get(address), shown.get(address))
                 for address in sorted({*found, *shown}) if found.get(address) != shown.get(address)]
        return '%s: %s' % (which, ', '.join(wrong))


def read_elements(data):
    """READ ELEMENT STATUS with volume tags, as Library._descriptor has it."""
    found, at = {}, 8
    if len(data) != 8 + int.from_bytes(data[5:8], 'big'):
        raise Broken('READ ELEMENT STATUS: %d bytes' % len(data))
    while at < len(data):
        kind, length = data[at], int.from_bytes(data[at + 2:at + 4], 'big')
        end = at + 8 + int.from_bytes(data[at + 5:at + 8], 'big')
        for one in (data[start:start + length] for start in range(at + 8, end, length)):
            address = int.from_bytes(one[:2], 'big')
            if address in found:
                raise Broken('READ ELEMENT STATUS tells %04x twice' % address)
            found[address] = (kind, one[2], int.from_bytes(one[4:6], 'big'), one[9],
                              int.from_bytes(one[10:12], 'big'), one[12:44].decode().rstrip(' \0') or None)
        at = end
    return found
