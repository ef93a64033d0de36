"""The ways into the debug information: by address, and by name.

What is searched for are the bytes themselves, of the address or of the place of the name, and then
it is looked up in which entry they are. That takes milliseconds for tens of megabytes.
"""

import re
import struct
from bisect import bisect_right

from .forms import (
    A_ADDR_BASE,
    A_LOCATION,
    A_LOW_PC,
    A_SIZE,
    A_STR_BASE,
    NAMESPACE,
    STRUCT,
    SUBPROGRAM,
    VARIABLE,
    text_at,
    to_uleb,
)


class Search:
    """What a `Dwarf` finds.

    DWARF 4 writes addresses and the places of names into the entries themselves. DWARF 5 keeps them
    in tables, of which each unit has a part, and the entry has a number in that part.
    """

    # By address ----------------------------------------------------------------------------------

    def variables_at(self, address):
        """The entries of statics and vtables that are at this address."""
        direct = b"\x09\x03" + struct.pack("<Q", address)
        for at in places(self.info, direct):
            entry = self.unit_at(at).entry_around(at)
            if entry.tag == VARIABLE and entry.get(A_LOCATION) == direct[1:]:
                yield entry
        for unit, index in self.in_table_of_addresses(address):
            expression = b"\xa1" + to_uleb(index)
            for at in places(self.info, bytes([len(expression)]) + expression, unit.first, unit.end):
                entry = unit.entry_around(at)
                if entry.tag == VARIABLE and entry.get(A_LOCATION) == expression:
                    yield entry

    def functions_at(self, address):
        """The entries of functions that begin at this address."""
        for at in places(self.info, struct.pack("<Q", address)):
            entry = self.unit_at(at).entry_around(at)
            if entry.tag == SUBPROGRAM and entry.get(A_LOW_PC) == address:
                yield entry
        for unit, _ in self.in_table_of_addresses(address):
            for entry in unit.tagged(SUBPROGRAM):
                if entry.get(A_LOW_PC) == address:
                    yield entry

    def in_table_of_addresses(self, address):
        """[(unit, number of the address in its part of the table)]"""
        if not self.addr:
            return
        if self._bases is None:
            self._bases = sorted((unit.root.get(A_ADDR_BASE) or 0, unit.offset) for unit in self.units)
        for at in places(self.addr, struct.pack("<Q", address)):
            base = self._bases[bisect_right(self._bases, (at, 1 << 62)) - 1][0]
            for other, offset in self._bases:
                if other == base and base and (at - base) % 8 == 0:
                    yield self.unit_at(offset), (at - base) // 8

    # By name -------------------------------------------------------------------------------------

    def structures_named(self, path):
        """The entries of the types with this name: `executor::join::JoinHandle<u32>`. A name that
        ends with `<` means any of them.
        """
        name = re.sub(r"^(?:\w+::)+", "", path)
        for found in self.named(name, STRUCT):
            whole = path if not path.endswith("<") else path[: -len(name)] + found.name
            if found.get(A_SIZE) and found.path() == whole:
                yield found

    def functions_named(self, path):
        """The entries of functions with this path: `demo::stand::get_burgers::{async_fn#0}`.

        The way there is the last part of the path that is not in braces: few have the same.
        """
        parts = re.sub(r"<.*", "", path).split("::")
        last = max((n for n, part in enumerate(parts[:-1]) if not part.startswith("{")), default=0)
        for found in self.named(parts[last], NAMESPACE):
            if found.path() == "::".join(parts[: last + 1]):
                yield from below(found, parts[last + 1 :])

    def named(self, name, tag):
        """The entries of this kind whose own name is `name`, or begins with it if that ends with `<`."""
        begin = b"\0" + name.encode() + (b"" if name.endswith("<") else b"\0")
        for at in places(self.str, begin):
            wanted = struct.pack("<I", at + 1)
            text = text_at(self.str, at + 1)
            for place in places(self.info, wanted):
                entry = self.unit_at(place).entry_around(place)
                if entry.tag == tag and entry.name == text:
                    yield entry
            for unit in self.units if self.str_offsets else ():
                base = unit.root.get(A_STR_BASE)
                end = struct.unpack_from("<I", self.str_offsets, base - 8)[0] + base - 4 if base else 0
                if base and self.str_offsets.find(wanted, base, end) >= 0:
                    for entry in unit.tagged(tag):
                        if entry.name == text:
                            yield entry


def below(entry, parts):
    """The functions at the end of this path."""
    for child in entry.children():
        if re.sub(r"<.*", "", child.name or "") != parts[0]:
            continue
        if len(parts) == 1 and child.tag == SUBPROGRAM and child.get(A_LOW_PC):
            yield child
        elif len(parts) > 1:
            yield from below(child, parts[1:])


def places(data, wanted, start=0, end=None):
    """Where these bytes are."""
    end = len(data) if end is None else end
    at = data.find(wanted, start, end)
    while at >= 0:
        yield at
        at = data.find(wanted, at + 1, end)
