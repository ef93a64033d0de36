"""Sockets and timers, as the reactor knows them."""

from . import std
from .linux import ends
from .show import seconds


def socket(program, io):
    """What an `Io` waits for: `socket readable, fd 6, 127.0.0.1:80 <-> 127.0.0.1:4711`."""
    key = io.field("source").deref().field("key")
    way = "readable" if io.field("direction").variant_name() == "Read" else "writable"
    source = find(program, *(key.field(part).number() for part in ("reactor", "slot", "generation")))
    if source is None:
        return f"a socket to be {way}, but its reactor is gone"
    return f"socket {way}, {describe(program, source)}"


def find(program, reactor, slot, generation):
    reactor = program.reactor(reactor)
    for other, source in reactor.sources() if reactor else ():
        if other == slot and source.field("generation").number() == generation:
            return source
    return None


def describe(program, source):
    """`fd 6, 127.0.0.1:80 <-> 127.0.0.1:4711`"""
    fd = source.field("fd").number()
    if fd < 0:
        return "fd not known"
    text = ends(program.world.pid, fd) if program.world.pid else ""
    return f"fd {fd}, {text}" if text else f"fd {fd}"


def timer(program, sleep):
    """What a `Sleep` waits for: `timer, 59.3s left`."""
    deadline, armed = std.option(sleep.field("deadline")), std.option(sleep.field("timer"))
    if deadline is None:
        return "timer that is never over"
    number = armed.field("__0").number() if armed is not None else None
    reactor = program.reactor(number)
    if reactor is None and program.reactors:
        reactor = program.reactors[0]
    if armed is not None and reactor is not None and not reactor.is_armed(armed.field("__1")):
        return "timer, over"
    left = time_left(reactor, std.duration(deadline)) if reactor else ""
    return f"timer{left}" + ("" if armed is not None else ", not armed yet")


def time_left(reactor, deadline):
    now = reactor.now()
    if now is None:
        return ""  # a core file has no clock
    return f", {seconds(deadline - now)} left" if deadline > now else f", due since {seconds(now - deadline)}"
