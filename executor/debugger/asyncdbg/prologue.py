"""How a function begins that was compiled without optimisation: it takes room on the stack, and stores
its arguments there. So we know where the body of an async fn keeps the address of its coroutine.
"""

import re
import struct

from . import Trouble

STORES = (
    rb"\x48\x89(?:\x7c\x24(.)|\xbc\x24(....))",  # mov %rdi, N(%rsp)
    rb"\x48\x89(?:\x74\x24(.)|\xb4\x24(....))",  # mov %rsi, N(%rsp)
)


def size_of_frame(memory, start):
    """How much a function takes off the stack when it begins, with its return address."""
    size, _ = begin(memory, start)
    if size is None:
        raise Trouble("this function does not begin as one without optimisation does")
    return size


def slots_of(memory, start, argument):
    """Where in its frame the body of a coroutine keeps the address of the coroutine, which is its first
    argument. It does so in several places; `argument` is the one that the debug information names.

    Usually that is the first register. But if the result is too large for registers, the place for it
    comes first, and the coroutine is in the second one.
    """
    _, length = begin(memory, start)
    code = memory.bytes(start + length, 64)
    found = [re.findall(store, code, re.DOTALL) for store in STORES]
    places = [[int.from_bytes(near or far, "little") for near, far in one] for one in found]
    slots = next((one for one in places if argument in one), places[0])
    for (word,) in struct.iter_unpack("<I", memory.bytes(start, 64)):
        if word & 0xFFC003FF == 0xF90003E0:  # str x0, [sp, #N]
            slots.append((word >> 10 & 0xFFF) * 8)
    if not slots:
        raise Trouble("steps need a program built without optimisation (the profile `dev`)")
    return slots


def begin(memory, start):
    """(size of the frame with the return address, length of the code that makes room for it). The size
    is None if it begins in another way.
    """
    code, at, size = memory.bytes(start, 128), 0, 8
    while 0x50 <= code[at] <= 0x57 or (code[at] == 0x41 and 0x50 <= code[at + 1] <= 0x57):  # push
        at, size = at + (2 if code[at] == 0x41 else 1), size + 8
    # A large frame is taken page by page, so that none of them is jumped over: in a loop ...
    if code[at : at + 3] == b"\x49\x89\xe3":  # mov %rsp, %r11; sub $N, %r11; up to there; a jump back
        size += struct.unpack_from("<I", code, at + 6)[0]
        at = code.index(b"\x75", at + 10) + 2
    elif code[at : at + 4] == b"\x4c\x8d\x9c\x24":  # lea -N(%rsp), %r11
        size -= struct.unpack_from("<i", code, at + 4)[0]
        at = code.index(b"\x75", at + 8) + 2
    # ... or one after the other, with a write into each.
    found = size > 8
    while True:
        if code[at : at + 3] == b"\x48\x81\xec":  # sub $N, %rsp
            at, size, found = at + 7, size + struct.unpack_from("<I", code, at + 3)[0], True
        elif code[at : at + 3] == b"\x48\x83\xec":
            at, size, found = at + 4, size + code[at + 3], True
        if code[at : at + 8] != b"\x48\xc7\x04\x24\0\0\0\0":  # movq $0, (%rsp)
            break
        at += 8
    return (size, at) if found else (None, 0)
