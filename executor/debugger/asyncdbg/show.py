"""A value as a person would write it."""

import re
import struct

from . import Trouble, std, within
from . import forms as d
from .names import short

WIDTH = 60  # no value is written longer than this


def show(value, depth=2):
    """Short: `Order {table: 1, burgers: 2}`."""
    try:
        text = _show(value, depth)
    except (Trouble, RecursionError):
        return "?"
    return text if len(text) <= WIDTH else text[: WIDTH - 3] + "..."


def _show(value, depth):
    shape = value.shape
    if shape.tag == d.BASE:
        return _plain(value)
    if shape.tag == d.POINTER:
        return _pointer(value, depth)
    if shape.tag == d.ENUM:
        return value.variant_name()
    if shape.tag == d.ARRAY:
        element = shape.target
        return _list(
            [value.at(element, n * element.size) for n in range(min(shape.count, 9))], shape.count, depth
        )
    known = _ours(shape) or (_slice if within.is_slice(value) else KNOWN.get(shape.base))
    if known is not None and not shape.name.startswith("*"):
        try:
            return known(value, depth)
        except Trouble:
            pass  # another type of this name, or another version of std
    if shape.is_coroutine():
        return short(shape.name)
    if value.wide() is not None and shape.base.startswith(("&dyn", "alloc::boxed::Box<(dyn", "Box")):
        return short(shape.name)
    if shape.variants is not None:
        name, fields, _, _ = value.variant()
        return _struct(name, fields, depth)
    if shape.base.startswith("("):
        return "(" + ", ".join(_deeper(field, depth) for _, field in value.fields()) + ")"
    return _struct(short(shape.entry.name or "?"), value, depth)


def _plain(value):
    kind, size = value.shape.encoding, value.shape.size
    data = value.memory.bytes(value.address, size) if size else b""
    if kind == 2:
        return {b"\0": "false", b"\1": "true"}.get(data, "?")
    if kind == 4 and size in (4, 8):
        return repr(struct.unpack("<f" if size == 4 else "<d", data)[0])
    if kind == 0x10:
        number = int.from_bytes(data, "little")
        return repr(chr(number)) if number < 0x110000 else "?"
    if not size:
        return "()"
    return str(int.from_bytes(data, "little", signed=kind in (5, 6)))


def _pointer(value, depth):
    target = value.shape.target
    address = value.memory.number(value.address, 8)
    if target is not None and target.tag == d.SUBROUTINE:
        return "fn"
    if target is None or depth <= 0 or value.shape.name.startswith("*"):
        return f"{address:#x}"
    inside = (
        show(value.at(target), 0)
        if target.size == 0
        else show(type(value)(value.memory, target, address), depth - 1)
    )
    return inside if "Box<" in value.shape.name else "&" + inside


def _struct(name, value, depth):
    fields = value.fields()
    if not fields:
        return name
    if depth <= 0:
        return name + " {..}"
    if fields[0][0] == "__0":
        return f"{name}({', '.join(_deeper(field, depth) for _, field in fields)})"
    return name + " {" + ", ".join(f"{key}: {_deeper(field, depth)}" for key, field in fields) + "}"


def _deeper(value, depth):
    return show(value, depth - 1)


def _list(values, length, depth):
    if length > 4 and values[0].shape.name == "u8":
        return f"[{length} bytes]"
    inside = [show(value, depth - 1) for value in values[:4]]
    return "[" + ", ".join(inside) + (", ...]" if length > len(inside) else "]")


def _quoted(value, _):
    return _in_quotes(std.text(value, 4 * WIDTH))  # a character has 4 bytes at most


def _in_quotes(text):
    return '"' + std.one_line(text[:WIDTH].replace("\\", "\\\\").replace('"', '\\"')) + '"'


def _vec(value, depth):
    values = std.vec(value)
    return _list(values, len(values), depth)


def _inside(value, depth):
    return show(std.cell(value), depth)


def _buffer(value, depth):
    """A PathBuf and an OsString are a Vec of bytes, in layers that are others on other systems."""
    return _quoted(value.dig("alloc::vec::Vec<u8"), depth)


def _map(number):
    """A map or a set: of what is in it only how much. `number` is where that stands."""

    def words(value, _):
        many = number(value).number()
        if many > std.MOST:
            raise Trouble("a map is in the middle of a change")
        return f"{value.shape.base} of {many}"

    return words


def _counted(value, depth):
    pointer = value.field("ptr").peel()
    if within.is_slice(pointer):  # what is counted has no size of its own: an Rc<str>, an Arc<[u8]>
        return f"{value.shape.base}({_several(pointer, std.counted(value).address, depth)})"
    return f"{value.shape.base}({show(std.counted(value), depth - 1)})"


def _slice(value, depth):
    """A reference to a list or to a text, or a box with it."""
    text = _several(value, std.slice_of(value)[0], depth)
    sign = re.match(r"&(mut )?", value.shape.name) if text.startswith("[") else None
    return (sign[0] if sign else "") + text


def _several(pointer, start, depth):
    """What is behind a pointer with a length."""
    length, target = pointer.field("length").number(), pointer.field("data_ptr").shape.target
    if length > std.MOST:
        raise Trouble("a list is in the middle of a change")
    if TEXT.search(pointer.shape.name):
        data = pointer.memory.bytes(start, min(length, 4 * WIDTH)) if length else b""
        return _in_quotes(data.decode("utf-8", "replace"))
    return _list(std.elements(pointer, target, start, min(length, 9)), length, depth)


def _time(value, _):
    return seconds(std.duration(value))


def seconds(nanoseconds):
    """`1.5s`, `20ms`."""
    if nanoseconds % 10**9 == 0 or nanoseconds >= 10**11:
        return f"{nanoseconds // 10**9}s"
    if nanoseconds >= 10**9:
        return f"{nanoseconds / 10**9:.3g}s"
    if nanoseconds >= 10**6:
        return f"{nanoseconds / 10**6:.3g}ms"
    return f"{nanoseconds / 10**3:.3g}us"


def _ours(shape):
    """How to write what is ours. Here, since ours.py needs this file."""
    from .ours import WORDS

    words = WORDS.get(shape.name.split("<", 1)[0])
    return words and (lambda value, _: words(shape.shapes.program, value))


# A pointer to one of these is a pointer to text.
TEXT = re.compile(r"(^[&*]|[ <])(mut |const )?(str|std::path::Path|std::ffi::os_str::OsStr)\b(?!::)")

KNOWN = {
    "String": _quoted,
    "PathBuf": _buffer,
    "OsString": _buffer,
    "HashMap": _map(lambda value: value.dig("hashbrown::raw::RawTableInner").field("items")),
    "HashSet": _map(lambda value: value.dig("hashbrown::raw::RawTableInner").field("items")),
    "BTreeMap": _map(lambda value: value.field("length")),
    "BTreeSet": _map(lambda value: value.field("map", "length")),
    "Vec": _vec,
    "VecDeque": lambda value, depth: _list(std.deque(value), len(std.deque(value)), depth),
    "Rc": _counted,
    "Arc": _counted,
    "Cell": _inside,
    "RefCell": _inside,
    "Mutex": _inside,
    "Duration": _time,
}
