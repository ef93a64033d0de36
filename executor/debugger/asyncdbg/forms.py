"""The alphabet of DWARF: tags, attributes, and the forms in which attributes are written."""

from . import Trouble

# Tags.
MEMBER, POINTER, STRUCT, UNION, ENUM = 0x0D, 0x0F, 0x13, 0x17, 0x04
ARRAY, SUBRANGE, SUBROUTINE, BASE, ENUMERATOR = 0x01, 0x21, 0x15, 0x24, 0x28
SUBPROGRAM, TEMPLATE_TYPE, VARIABLE, PARAMETER, BLOCK = 0x2E, 0x2F, 0x34, 0x05, 0x0B
VARIANT_PART, VARIANT, NAMESPACE, UNIT = 0x33, 0x19, 0x39, 0x11

# Attributes.
A_SIBLING, A_LOCATION, A_NAME, A_SIZE, A_LOW_PC, A_HIGH_PC = 0x01, 0x02, 0x03, 0x0B, 0x11, 0x12
A_STMT_LIST, A_COMP_DIR, A_DISCR, A_DISCR_VALUE, A_CONST = 0x10, 0x1B, 0x15, 0x16, 0x1C
A_CONTAINING, A_COUNT, A_OFFSET, A_DECL_FILE, A_DECL_LINE = 0x1D, 0x37, 0x38, 0x3A, 0x3B
A_ENCODING, A_SPEC, A_TYPE, A_ORIGIN, A_UPPER = 0x3E, 0x47, 0x49, 0x31, 0x2F
A_STR_BASE, A_ADDR_BASE = 0x72, 0x73

# Forms whose length does not depend on what is in them. 8 is an offset in a 32-bit DWARF file.
FIXED = {
    0x01: 8, 0x05: 2, 0x06: 4, 0x07: 8, 0x0B: 1, 0x0C: 1, 0x0E: 4, 0x10: 4, 0x11: 1, 0x12: 2,
    0x13: 4, 0x14: 8, 0x17: 4, 0x19: 0, 0x1E: 16, 0x1F: 4, 0x20: 8, 0x21: 0, 0x25: 1, 0x26: 2,
    0x27: 3, 0x28: 4, 0x29: 1, 0x2A: 2, 0x2B: 3, 0x2C: 4,
}
ULEB_FORMS = (0x0D, 0x0F, 0x15, 0x1A, 0x1B, 0x22, 0x23)


def uleb(data, at):
    """A number that takes as many bytes as it needs: seven bits in each."""
    byte = data[at]
    if byte < 0x80:
        return byte, at + 1
    value, shift = byte & 0x7F, 7
    while True:
        at += 1
        byte = data[at]
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at + 1


def sleb(data, at):
    """The same with a sign."""
    start = at
    value, at = uleb(data, at)
    bits = 7 * (at - start)
    return (value - (1 << bits) if value >> (bits - 1) else value), at


class Kind:
    """An abbreviation: what tag and which attributes an entry has."""

    def __init__(self, tag, has_children, attributes):
        self.tag, self.has_children, self.attributes = tag, has_children, attributes
        lengths = [FIXED.get(form) for _, form, _ in attributes]
        self.length = None if None in lengths else sum(lengths)

    def skip(self, data, at):
        for _, form, _ in self.attributes:
            at = skip_form(data, at, form)
        return at


def skip_form(data, at, form):
    length = FIXED.get(form)
    if length is not None:
        return at + length
    if form in ULEB_FORMS:
        while data[at] >= 0x80:
            at += 1
        return at + 1
    if form in (0x18, 0x09):  # exprloc, block
        length, at = uleb(data, at)
        return at + length
    if form == 0x0A:
        return at + 1 + data[at]
    if form == 0x03:
        return at + 2 + int.from_bytes(data[at : at + 2], "little")
    if form == 0x04:
        return at + 4 + int.from_bytes(data[at : at + 4], "little")
    if form == 0x08:
        return data.find(b"\0", at) + 1
    if form == 0x16:
        form, at = uleb(data, at)
        return skip_form(data, at, form)
    raise Trouble(f"the debug information uses a form ({form:#x}) that is not known here")


def to_uleb(value):
    out = bytearray()
    while True:
        value, low = value >> 7, value & 0x7F
        out.append(low | (0x80 if value else 0))
        if not value:
            return bytes(out)


def text_at(data, at):
    return data[at : data.find(b"\0", at)].decode("utf-8", "replace")
