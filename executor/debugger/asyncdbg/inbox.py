"""The wakes that other threads have sent and the executor has not read (executor/src/remote.rs).

They lie in a channel of crossbeam: a list of blocks with 31 places each. An index counts the places,
with one more for the way to the next block, and its lowest bit means something else.
"""

from . import Trouble

LAP, MOST = 32, 10_000


def keys(executor):
    """The tasks' keys."""
    try:
        return set(unread(executor))
    except Trouble:  # another version of crossbeam, or in the middle of a change
        return set()


def unread(executor):
    _, flavor, _, _ = executor.value.field("inbox", "flavor").variant()
    channel = flavor.field("__0").deref().field("chan")
    head, tail = (channel.field(end).dig("crossbeam_channel::flavors::list::Position") for end in ("head", "tail"))
    at, end = (position.field("index").number() >> 1 for position in (head, tail))
    wake = executor.program.shapes.named("executor::remote::Wake")
    if wake is None or not 0 <= end - at <= MOST:
        return
    block = head.field("block")
    for place in range(at, end):
        if place % LAP == LAP - 1:
            block = block.deref().field("next")
            continue
        slots = block.deref().field("slots")
        slot = slots.at(slots.shape.target, place % LAP * slots.shape.target.size)
        yield slot.field("msg").at(wake).field("key").number()
