"""A reader for DWARF 4 and 5, as far as rustc writes it.

Debug information is a forest. Each compilation unit is a tree of entries; an entry has a tag (it is
a structure, a member, a namespace ...) and attributes. What attributes an entry has, and in what
form, is written once per kind of entry, in the table of abbreviations.

Two things make this fast enough for Python. Nothing is read before somebody asks for it: of the
hundreds of units in a program, the questions of a debugger touch a handful. And the way in is not
the beginning of the forest but an *address*: of a static, or of a vtable that was found in memory.
The bytes of the address are searched for, and whoever holds them is the entry we want.
"""

import struct
from bisect import bisect_right

from . import Trouble
from .forms import (
    A_ADDR_BASE,
    A_COMP_DIR,
    A_NAME,
    A_ORIGIN,
    A_SPEC,
    A_STR_BASE,
    FIXED,
    ULEB_FORMS,
    UNIT,
    Kind,
    skip_form,
    sleb,
    text_at,
    uleb,
)
from .search import Search


class Unit:
    """A compilation unit: one of the pieces in which rustc has compiled the program."""

    def __init__(self, dwarf, offset, end, version, first, abbreviations):
        self.dwarf, self.offset, self.end = dwarf, offset, end
        self.version, self.first, self.abbreviations = version, first, abbreviations
        self._index = self._files = self._root = None

    @property
    def root(self):
        """The entry for the unit itself."""
        if self._root is None:
            self._root = Entry(self, self.first)
        return self._root

    def index(self):
        """All entries, in order: (their offsets, for each the offset of its parent)."""
        if self._index is None:
            offsets, parents, stack = [], [], [0]
            data, at, kinds = self.dwarf.info, self.first, self.dwarf.kinds(self.abbreviations)
            while at < self.end:
                code, start = data[at], at
                if code >= 0x80:
                    code, at = uleb(data, at)
                else:
                    at += 1
                if code == 0:
                    stack.pop()
                    if not stack:
                        break
                    continue
                kind = kinds[code]
                offsets.append(start)
                parents.append(stack[-1])
                at = at + kind.length if kind.length is not None else kind.skip(data, at)
                if kind.has_children:
                    stack.append(start)
            self._index = offsets, parents
        return self._index

    def entry(self, offset):
        return Entry(self, offset)

    def tagged(self, tag):
        """The entries of one kind."""
        kinds, data = self.dwarf.kinds(self.abbreviations), self.dwarf.info
        for offset in self.index()[0]:
            if kinds[uleb(data, offset)[0]].tag == tag:
                yield Entry(self, offset)

    def entry_around(self, position):
        """The entry in which this byte is."""
        offsets, _ = self.index()
        return Entry(self, offsets[bisect_right(offsets, position) - 1])

    def parent(self, entry):
        offsets, parents = self.index()
        parent = parents[bisect_right(offsets, entry.offset) - 1]
        return Entry(self, parent) if parent else None

    def file(self, number):
        """A source file's path as it was given to rustc."""
        if self._files is None:
            self._files = self.dwarf.files(self)
        return self._files.get(number, "?")


class Entry:
    """An entry: its tag and its attributes."""

    __slots__ = ("unit", "offset", "tag", "values", "has_children", "end")

    def __init__(self, unit, offset):
        dwarf = unit.dwarf
        code, at = uleb(dwarf.info, offset)
        kind = dwarf.kinds(unit.abbreviations)[code]
        self.unit, self.offset, self.tag, self.has_children = unit, offset, kind.tag, kind.has_children
        self.values = {}
        for attribute, form, constant in kind.attributes:
            self.values[attribute] = (form, at, constant)
            at = skip_form(dwarf.info, at, form)
        self.end = at

    def get(self, attribute, default=None):
        """An attribute: a number, a text, the bytes of an expression, or an entry it refers to."""
        found = self.values.get(attribute)
        return default if found is None else self.unit.dwarf.value(self.unit, *found)

    @property
    def name(self):
        return self.get(A_NAME)

    def children(self):
        if not self.has_children:
            return
        data, at = self.unit.dwarf.info, self.end
        while data[at] != 0:
            child = Entry(self.unit, at)
            yield child
            at = child.after()

    def after(self):
        """Where its next sibling begins."""
        at, data = self.end, self.unit.dwarf.info
        if not self.has_children:
            return at
        kinds, depth = self.unit.dwarf.kinds(self.unit.abbreviations), 1
        while depth:
            code, at = uleb(data, at)
            if code == 0:
                depth -= 1
                continue
            kind = kinds[code]
            at = at + kind.length if kind.length is not None else kind.skip(data, at)
            depth += kind.has_children
        return at

    def path(self):
        """`crate::module::Name`."""
        parts, entry = [], self
        while entry is not None and entry.tag != UNIT:
            named = entry.get(A_SPEC) or entry.get(A_ORIGIN) or entry
            if named is not entry:
                return "::".join([named.path()] + parts[::-1])
            if entry.name:
                parts.append(entry.name)
            entry = entry.unit.parent(entry)
        return "::".join(reversed(parts))


class Dwarf(Search):
    """The debug information of one file."""

    def __init__(self, elf):
        read = lambda name: elf.section(".debug_" + name)
        self.info, self.abbrev, self.str, self.line = read("info"), read("abbrev"), read("str"), read("line")
        self.line_str, self.str_offsets, self.addr = read("line_str"), read("str_offsets"), read("addr")
        if not self.info:
            raise Trouble(
                f"{elf.path} has no debug information: build with `debug = 2` "
                "(the profiles `dev` and `release-dbg` do)"
            )
        self._kinds, self._bases, self.units = {}, None, list(self._units())
        self._starts = [unit.offset for unit in self.units]

    def _units(self):
        at = 0
        while at < len(self.info):
            length, version = struct.unpack_from("<IH", self.info, at)
            if length == 0xFFFFFFFF:
                raise Trouble("64-bit DWARF is not known here")
            if version == 4:
                abbreviations, first = struct.unpack_from("<I", self.info, at + 6)[0], at + 11
            elif version == 5:
                kind, _, abbreviations = struct.unpack_from("<BBI", self.info, at + 6)
                first = at + (12 if kind in (1, 3) else 20 if kind in (4, 5) else 24)
            else:
                first = None  # written by something else than rustc: skip it
            if first is not None:
                yield Unit(self, at, at + 4 + length, version, first, abbreviations)
            at += 4 + length

    def kinds(self, offset):
        """The table of abbreviations at this offset."""
        table = self._kinds.get(offset)
        if table is None:
            table, at, data = {}, offset, self.abbrev
            while data[at] != 0:
                code, at = uleb(data, at)
                tag, at = uleb(data, at)
                has_children, at, attributes = data[at] == 1, at + 1, []
                while True:
                    attribute, at = uleb(data, at)
                    form, at = uleb(data, at)
                    constant = None
                    if form == 0x21:
                        constant, at = sleb(data, at)
                    if attribute == 0 and form == 0:
                        break
                    attributes.append((attribute, form, constant))
                table[code] = Kind(tag, has_children, attributes)
            self._kinds[offset] = table
        return table

    def unit_at(self, offset):
        return self.units[bisect_right(self._starts, offset) - 1]

    def value(self, unit, form, at, constant):
        data = self.info
        if form == 0x21:
            return constant
        if form in (0x11, 0x12, 0x13, 0x14):
            return Entry(unit, unit.offset + int.from_bytes(data[at : at + FIXED[form]], "little"))
        if form == 0x15:
            return Entry(unit, unit.offset + uleb(data, at)[0])
        if form == 0x10:
            offset = int.from_bytes(data[at : at + 4], "little")
            return Entry(self.unit_at(offset), offset)
        if form in (0x0E, 0x1F):
            strings = self.str if form == 0x0E else self.line_str
            return text_at(strings, int.from_bytes(data[at : at + 4], "little"))
        if form == 0x08:
            return text_at(data, at)
        if form in (0x25, 0x26, 0x27, 0x28, 0x1A):
            return self._indexed_text(unit, self._number(form, at))
        if form in (0x29, 0x2A, 0x2B, 0x2C, 0x1B):
            return self.address(unit, self._number(form, at))
        if form in (0x18, 0x09):
            length, at = uleb(data, at)
            return data[at : at + length]
        if form == 0x0A:
            return data[at + 1 : at + 1 + data[at]]
        if form == 0x19:
            return True
        if form == 0x0D:
            return sleb(data, at)[0]
        return self._number(form, at)

    def _number(self, form, at):
        if form in ULEB_FORMS:
            return uleb(self.info, at)[0]
        return int.from_bytes(self.info[at : at + FIXED.get(form, 0)], "little")

    def _indexed_text(self, unit, index):
        base = unit.root.get(A_STR_BASE, 8)
        return text_at(self.str, struct.unpack_from("<I", self.str_offsets, base + 4 * index)[0])

    def address(self, unit, index):
        base = unit.root.get(A_ADDR_BASE, 8)
        return struct.unpack_from("<Q", self.addr, base + 8 * index)[0]

    def inside(self, path):
        """A path inside the workspace, made short."""
        folder = self.units[0].root.get(A_COMP_DIR) if self.units else None
        return path[len(folder) + 1 :] if folder and path.startswith(folder + "/") else path

    def files(self, unit):
        from .lines import files_of

        return files_of(self, unit)
