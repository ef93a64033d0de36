"""The file of a program: its sections and its symbols."""

import mmap
import os
import struct
import zlib
from array import array

from . import Trouble


class Elf:
    """An executable. Only what is asked for is read; the rest stays on the disk."""

    def __init__(self, path):
        try:
            with open(path, "rb") as file:
                self.data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:
            raise Trouble(f"the program's file cannot be read: {error}") from None
        self.path = os.path.realpath(path)  # `/proc/PID/exe` says nothing to anybody
        if self.data[:6] != b"\x7fELF\x02\x01":
            raise Trouble(f"{path} is no 64-bit ELF file: only Linux programs can be read so far")
        self.sections = self._sections()

    def _sections(self):
        header = struct.unpack_from("<16xHHIQQQIHHHHHH", self.data, 0)
        _, _, _, _, _, at, _, _, _, _, size, count, names = header
        entries = [struct.unpack_from("<IIQQQQIIQQ", self.data, at + n * size) for n in range(count)]
        if not entries:
            return {}
        strings = entries[names][4]
        sections = {}
        for name, _, flags, _, offset, length, *_ in entries:
            start = strings + name
            text = self.data[start : self.data.find(b"\0", start)].decode("ascii", "replace")
            sections[text] = (offset, length, flags)
        return sections

    def section(self, name):
        """The bytes of a section; none if it is not there."""
        offset, length, flags = self.sections.get(name, (0, 0, 0))
        data = self.data[offset : offset + length]
        if flags & 0x800:  # SHF_COMPRESSED: a header of 24 bytes, then zlib
            if struct.unpack_from("<I", data)[0] != 1:
                raise Trouble("the debug information is compressed in a way that is not known here")
            data = zlib.decompress(data[24:])
        return data

    def loads(self):
        """The parts that are mapped: (offset in the file, address, length in the file)."""
        at, size, count = (
            struct.unpack_from(f, self.data, o)[0] for f, o in [("<Q", 32), ("<H", 54), ("<H", 56)]
        )
        for n in range(count):
            kind, _, offset, address, _, length, _, _ = struct.unpack_from(
                "<IIQQQQQQ", self.data, at + n * size
            )
            if kind == 1:
                yield offset, address, length

    def loaded(self, address, length):
        """What the system maps there, in whole pages, before the program is moved or changes it."""
        for offset, start, size in self.loads():
            if start & ~0xFFF <= address and address + length <= (start + size + 0xFFF) & ~0xFFF:
                return self.data[offset - (start - address) : offset - (start - address) + length]
        return None

    def program_headers(self):
        """The address where the program headers will be, before it is moved: AT_PHDR says where they are."""
        at = struct.unpack_from("<Q", self.data, 32)[0]
        for offset, address, length in self.loads():
            if offset <= at < offset + length:
                return at - offset + address
        return at

    def symbols(self, *path):
        """The addresses of `a::b::NAME`, given as its parts. Both ways in which Rust mangles names
        write each part after its length: `1a1b4NAME`.
        """
        mangled = b"".join(b"%d%s" % (len(part), part.encode()) for part in path)
        names, table = self.section(".strtab"), self.section(".symtab")
        entries = array("I", table[: len(table) // 24 * 24])[::6]
        found = []
        start = names.find(mangled)
        while start >= 0:
            name_at = names.rfind(b"\0", 0, start) + 1
            name = names[name_at : names.find(b"\0", start)]
            # Nothing of its own may follow: `a::NAME::inner` is another symbol.
            rest = name[name.index(mangled) + len(mangled) :]
            rest = rest.partition(b".llvm.")[0]  # so the optimiser calls what several units share
            if rest == b"" or (rest.startswith(b"17h") and rest.endswith(b"E") and len(rest) == 20):
                try:
                    index = entries.index(name_at)
                    found.append(struct.unpack_from("<Q", table, index * 24 + 8)[0])
                except ValueError:
                    pass
            start = names.find(mangled, start + 1)
        return [address for address in found if address]
