"""What lies between a future of which nothing is known and those that it holds: lists, pointers to
nothing, and the names on the way.
"""

from . import std


def items(value, most):
    """What is in a list, the first `most` at least; None if it is no list."""
    base = value.shape.base
    if is_slice(value):
        start, length = std.slice_of(value)
        return std.elements(value, value.field("data_ptr").shape.target, start, min(length, most))
    if base == "FuturesUnordered" and value.has("head_all"):
        return std.unordered(value)
    if base in ("Vec", "VecDeque") and value.shape.parameter("T") is not None:
        return std.vec(value) if base == "Vec" else std.deque(value)
    return None


def is_slice(value):
    """Of a `Box<[T]>` or a `&[T]`."""
    return value.has("data_ptr") and value.has("length")


def is_null(value):
    """A raw pointer, or an atomic one, may point to nothing."""
    value = value.peel()
    return value.shape.is_pointer() and value.memory.number(value.address, 8) == 0


def joined(name, path, several):
    """The names on the way to a future, without those that say nothing; `several[0]` is one name."""
    if name.startswith("__"):
        name = name[2:] if several else ""
    elif name in ("f", "pointer", "value"):
        name = ""
    if name and path and path[0].startswith("["):
        return (name + path[0], *path[1:])
    return (name, *path) if name else path


def labels(found):
    """For each of [(path, future)] as much of its path as tells it from the others."""
    paths = [path for path, _ in found]
    if len(paths) < 2:
        return [""] * len(paths)
    common = 0
    while all(len(path) > common + 1 and path[common] == paths[0][common] for path in paths):
        common += 1
    paths = [path[common:] for path in paths]

    def label(path):
        for length in range(1, len(path)):
            if sum(other[:length] == path[:length] for other in paths) == 1:
                return ".".join(path[:length])
        return ".".join(path)

    return [label(path) for path in paths]
