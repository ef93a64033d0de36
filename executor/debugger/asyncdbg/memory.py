"""The bytes of the program, wherever they come from."""

from . import Trouble

PAGE = 4096


class Memory:
    """Reads through `read(address, length)`, which a front gives. Pages are kept: forget them when
    the program has run on.
    """

    def __init__(self, read):
        self._read, self._pages = read, {}

    def forget(self):
        self._pages.clear()

    def bytes(self, address, length):
        """So many bytes from there."""
        if not PAGE <= address < 1 << 56 or length > 1 << 26:  # the first page: a null pointer
            raise Trouble(f"there is no memory at {address:#x}")
        parts, at, end = [], address, address + length
        while at < end:
            page = at - at % PAGE
            part = self._page(page)[at - page : end - page]
            parts.append(part)
            at += len(part)
        return b"".join(parts)

    def _page(self, page):
        if page not in self._pages:
            try:
                data = self._read(page, PAGE)
            except Exception:  # whatever the front's way is to say no
                data = None
            if not data or len(data) != PAGE:
                raise Trouble(f"the memory at {page:#x} cannot be read; if the program runs, ask again")
            self._pages[page] = bytes(data)
        return self._pages[page]

    def number(self, address, size, signed=False):
        return int.from_bytes(self.bytes(address, size), "little", signed=signed)
