"""The few parts of std, and of slab, that are needed: how to read a Vec, an Option, a String ...

Their insides are private and do change. So what is looked for is mostly not a path but a part: "the
first pointer in it".
"""

from array import array

from . import Trouble
from .values import Value

MOST = 1 << 22  # no list here is longer; one that says it is, is in the middle of a change


def vec(value):
    """The elements of a Vec, as values."""
    return list(each(value))


def each(value):
    """The same, one after the other: some are long."""
    element = value.shape.parameter("T")
    start, length = start_of(value), length_of(value)
    return (Value(value.memory, element, start + n * element.size) for n in range(length))


def numbers(value):
    """The elements of a Vec of numbers of 64 bits, at once."""
    length = length_of(value)
    return array("Q", value.memory.bytes(start_of(value), 8 * length) if length else b"")


def start_of(value):
    return value.memory.number(value.field("buf").pointer().address, 8)


def length_of(value):
    length = value.field("len").number()
    if length > MOST:
        raise Trouble("a list is in the middle of a change: let the program run a little, then ask again")
    return length


def unordered(value):
    """The futures in a FuturesUnordered of the crate `futures`, in the order of their coming: a list
    of tasks, the latest one first.
    """
    found, at, seen = [], value.field("head_all").deref(), set()
    while at.address and at.address not in seen:  # a list in the middle of a change may be a circle
        seen.add(at.address)
        future = option(cell(at.field("future")))
        found += [future] if future is not None else []
        at = cell(at.field("next_all")).deref()
    return found[::-1]


def elements(value, element, start, length):
    return [Value(value.memory, element, start + n * element.size) for n in range(length)]


def capacity(value):
    return value.dig("alloc::raw_vec::RawVecInner").field("cap").number()


def deque(value):
    """The elements of a VecDeque: a ring."""
    element, buffer = value.shape.parameter("T"), value.field("buf")
    start, room = value.memory.number(buffer.pointer().address, 8), capacity(buffer)
    head, length = value.field("head").number(), value.field("len").number()
    ring = elements(value, element, start, min(room, MOST) if element.size else 0)
    return [ring[(head + n) % room] for n in range(length)] if ring else []


def heap(value):
    """The elements of a BinaryHeap, in no order."""
    return vec(value.field("data"))


def slab(value, most=MOST):
    """[(slot, value)] of those slots of a Slab that are taken, the first `most` of them."""
    taken = []
    for slot, entry in enumerate(each(value.dig("slab::Slab").field("entries"))):
        if len(taken) == most:
            break
        name, fields, _, _ = entry.variant()
        if name == "Occupied":
            taken.append((slot, fields.field("__0")))
    return taken


def entry(value, slot):
    """What is in this slot of a Slab; None if it is free."""
    entries = value.dig("slab::Slab").field("entries")
    if slot >= length_of(entries):
        return None
    element = entries.shape.parameter("T")
    name, fields, _, _ = Value(value.memory, element, start_of(entries) + slot * element.size).variant()
    return fields.field("__0") if name == "Occupied" else None


def slots(value, name):
    """{number: slot} of a Slab whose values have a field of this name, a number of 64 bits. All of
    them are read, a chunk at a time, and of each one only this.
    """
    entries = value.dig("slab::Slab").field("entries")
    element, start, length = entries.shape.parameter("T"), start_of(entries), length_of(entries)
    if not length:
        return {}
    (kind, kind_at), variants = element.variants.discr, element.variants
    occupied = next(one for one in variants.all() if one[0] == "Occupied")
    fields = Value(value.memory, occupied[1], occupied[2])  # at 0: its addresses are offsets
    at = fields.field("__0", name).peel().address
    found, chunk = {}, max((1 << 24) // element.size, 1)
    for first in range(0, length, chunk):
        count = min(chunk, length - first)
        data = value.memory.bytes(start + first * element.size, count * element.size)
        for n, one in enumerate(range(0, len(data), element.size)):
            number = int.from_bytes(data[one + kind_at : one + kind_at + kind.size], "little")
            if variants.choose(number, kind.size) is occupied:
                found[int.from_bytes(data[one + at : one + at + 8], "little")] = first + n
    return found


def counted(value):
    """What is in an Rc or an Arc."""
    inner = value.deref()
    return inner.field("value" if inner.has("value") else "data")


def option(value):
    """What is in an Option, or None."""
    name, fields, _, _ = value.variant()
    return fields.field("__0") if name == "Some" else None


def cell(value):
    """What is in a RefCell, a Cell, a Mutex or an RwLock."""
    for name in ("value", "data"):
        if value.has(name):
            value = value.field(name)
    return value.field("value") if value.has("value") else value


def text(value, most=4096):
    """Of a &str, a String, a Cow, a Box<str>."""
    if value.shape.variants is not None:
        return text(value.variant()[1].field("__0"), most)
    if value.has("vec") or value.shape.base == "Vec":
        inner = value.field("vec") if value.has("vec") else value
        start, length = (
            inner.memory.number(inner.field("buf").pointer().address, 8),
            inner.field("len").number(),
        )
    else:
        start, length = slice_of(value)
    if length == 0:
        return ""
    if length > MOST:
        raise Trouble("a text is in the middle of a change")
    return value.memory.bytes(start, min(length, most)).decode("utf-8", "replace")


def one_line(text):
    """On one line, and without what a terminal would obey: a line feed comes out as `\\n`."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def slice_of(value):
    """(start, length) of a wide pointer, through any wrappers."""
    for _ in range(12):
        if value.has("data_ptr"):
            return value.memory.number(value.field("data_ptr").address, 8), value.field("length").number()
        if not value.shape.members:
            break
        value = value.at(value.shape.members[0][1], value.shape.members[0][2])
    raise Trouble(f"{value.shape.name} is no text in this program")


def location(value):
    """`file:line:column` of a `&'static Location`."""
    inner = value.deref()
    line, column = inner.field("line").number(), inner.field("col").number()
    for name, field in inner.fields():
        if name.startswith("file"):
            # Since 1.91 or so it is stored with a zero at its end.
            return f"{text(field).rstrip(chr(0))}:{line}:{column}"
    raise Trouble("a source location cannot be read in this program")


def duration(value):
    """Nanoseconds of a Duration, or of an Instant since the clock's zero."""
    numbers = {}
    level = [value]
    for _ in range(6):
        deeper = []
        for part in level:
            for name, field in part.fields() if part.shape.variants is None else ():
                if name in ("secs", "tv_sec", "nanos", "tv_nsec"):
                    numbers["s" if name.endswith(("secs", "sec")) and "n" not in name[:4] else "n"] = (
                        field.number()
                    )
                else:
                    deeper.append(field)
        level = deeper
    if "s" not in numbers:
        raise Trouble(f"{value.shape.name} cannot be read in this program")
    return numbers["s"] * 10**9 + numbers.get("n", 0)


def waker(value):
    """(data, vtable) of a Waker."""
    raw = value.dig("core::task::wake::RawWaker")
    data = raw.memory.number(raw.field("data").address, 8)
    return data, raw.memory.number(raw.field("vtable").address, 8)
