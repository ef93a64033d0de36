"""Where in memory the wakers of a task are.

A waker is a number and the address of one of two static vtables (executor/src/key.rs): sixteen bytes
that look like nothing else. So we can search all memory that the program may write to. If they are
nowhere, nobody can ever wake the task: its wake-up is lost, and that is a proof.

The other direction is weaker: what is found may be a left-over, in a freed block or in an old stack
frame. Those are told apart as far as possible.
"""

import struct

from . import Trouble, inbox, std

CHUNK = 1 << 24


class Found:
    """Sixteen bytes that are a waker, or were one."""

    def __init__(self, address, where, kind):
        self.address, self.where, self.kind = address, where, kind  # kind: known, memory, leftover


def search(program, task):
    """All wakers of the task: those in known places first."""
    known = known_places(program, task)
    found, stacks = [], program.world.stacks()
    main = main_range(program, task)
    for address, region in scan(program, task):
        if address in known:
            found.append(Found(address, known[address], "known"))
            continue
        owner = next(((thread, sp) for thread, sp in stacks if region[0] <= sp < region[1]), None)
        if owner is None:
            name = region[2] or "memory without a name"
            found.append(Found(address, f"in {name}", "memory"))
        elif main is not None and main[0] <= address < main[1]:
            found.append(Found(address, "in the main coroutine", "memory"))
        elif address < owner[1] - 128:
            continue  # below the stack pointer there is nothing
        elif main is not None and region[0] <= main[2] < region[1] and address < main[2]:
            # A frame that was called by `block_on`. While it is parked there are only frames of the
            # park; a waker in them is one of an earlier poll.
            if task.executor.polling is None:
                found.append(Found(address, f"on the stack of thread {owner[0]}", "leftover"))
            else:
                found.append(Found(address, f"on the stack of thread {owner[0]}", "memory"))
        else:
            found.append(Found(address, f"on the stack of thread {owner[0]}", "memory"))
    if task.key in inbox.keys(task.executor):
        where = f"on its way: another thread has woken it, and executor {task.executor.id} will read that"
        found.append(Found(0, where, "known"))
    order = {"known": 0, "memory": 1, "leftover": 2}
    return sorted(found, key=lambda one: (order[one.kind], one.where, one.address))


def main_range(program, task):
    """(start, end, an address in the frame of block_on) of the main coroutine of its executor."""
    at = task.executor.value.field("main").number()
    for other in task.executor.tasks:
        if other.body is None and at:
            future = other.future()
            if future is not None:
                return future.address, future.address + future.shape.size, at
    return None


def scan(program, task):
    """[(address, region)] of each place where the task's key stands beside one of the vtables."""
    wanted = struct.pack("<Q", task.key)
    vtables = {struct.pack("<Q", address) for address in program.vtables()}
    data_first = is_data_first(task)
    for region in program.world.regions():
        start, end, name = region
        if name.startswith(("[vvar", "[vdso", "[vsyscall")):
            continue
        for base in range(start, end, CHUNK):
            data = read(program, base, CHUNK + 16, end)
            at = data.find(wanted)
            while at >= 0:
                start = at if data_first else at - 8
                beside = at + 8 if data_first else at - 8
                if at % 8 == 0 and 0 <= start < CHUNK and data[beside : beside + 8] in vtables:
                    yield base + start, region
                at = data.find(wanted, at + 1)


def is_data_first(task):
    """rustc is free to order the two words of a waker as it likes."""
    joiner = task.value.field("joiner")
    some = next(variant for variant in joiner.shape.variants.all() if variant[0] == "Some")
    raw = joiner.at(some[1]).dig("core::task::wake::RawWaker")
    offsets = {name: offset for name, _, offset in raw.shape.members}
    return offsets["data"] < offsets["vtable"]


def read(program, start, length, end):
    length = min(length, end - start)
    try:
        return bytes(program.world.read(start, length))
    except Exception:
        pass
    # A page of it cannot be read, or the front refuses so much at once.
    parts = []
    for page in range(start, start + length, 4096):
        try:
            parts.append(bytes(program.world.read(page, min(4096, start + length - page))))
        except Exception:
            parts.append(bytes(min(4096, start + length - page)))
    return b"".join(parts)


def known_places(program, task):
    """{address: words}: the lists in which our own futures leave wakers."""
    places = {}

    def note(value, words):
        places[value.dig("core::task::wake::RawWaker").address] = words

    for other in program.tasks():
        joiner = std.option(other.value.field("joiner"))
        if joiner is not None:
            note(joiner, f"with {other.label}, to be woken when that ends")
    for reactor in program.reactors:
        for slot, source in reactor.sources():
            for waiter in std.vec(source.field("waiters")):
                way = "readable" if waiter.field("direction").variant_name() == "Read" else "writable"
                note(waiter.field("waker"), f"with the reactor: socket in slot {slot}, when it is {way}")
        for _, slot, waker in reactor.timers():
            note(waker, f"with the reactor: timer in slot {slot}")
    try:
        for waker, words in channels(task):
            note(waker, words)
    except Trouble:
        pass
    return places


def channels(task):
    """The wakers that the futures of this task have left in channels and with jobs."""
    from .futures import tree

    root = tree(task)
    for node in root.all() if root is not None else ():
        if node.title in ("Send", "Recv"):
            end = "senders" if node.title == "Send" else "receivers"
            line = node.value.field("channel").deref().field(end, "line")
            for entry in std.deque(std.cell(line)):
                yield entry.field("__1"), f"in a channel, in the line of its {end}"
        elif node.title == "OneshotReceiver":
            waker = std.option(std.cell(std.counted(node.value.field("slot"))).field("waker"))
            if waker is not None:
                yield waker, "in a oneshot channel"
        elif node.title == "Blocking":
            meeting = std.counted(node.value.field("desk")).dig("reactor::blocking::Meeting")
            waker = std.option(meeting.field("waker"))
            if waker is not None:
                yield waker, f"with blocking job {node.value.field('job').number()}"
