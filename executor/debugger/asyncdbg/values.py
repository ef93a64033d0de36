"""A place in memory together with its type."""

from . import Trouble
from . import forms as d


class Value:
    """What is at an address."""

    __slots__ = ("memory", "shape", "address")

    def __init__(self, memory, shape, address):
        self.memory, self.shape, self.address = memory, shape, address

    def __repr__(self):
        return f"<{self.shape.name} at {self.address:#x}>"

    def at(self, shape, offset=0):
        return Value(self.memory, shape, self.address + offset)

    def fields(self):
        """[(name, value)]; for an enum, those of the variant that it is."""
        holder = self
        if self.shape.variants is not None:
            holder = self.variant()[1]
        return [(name, holder.at(shape, offset)) for name, shape, offset in holder.shape.members]

    def field(self, *path):
        """`value.field("a", "b")` is `value.a.b`."""
        value = self
        for wanted in path:
            found = [field for name, field in value.fields() if name == wanted]
            if not found:
                raise Trouble(f"{value.shape.name} has no field `{wanted}` in this program")
            value = found[0]
        return value

    def has(self, name):
        return any(name == other for other, _, _ in self.shape.members)

    def variant(self):
        """Which variant it is: (name, its fields as a value, file, line)."""
        variants = self.shape.variants
        if variants is None:
            raise Trouble(f"{self.shape.name} is no enum in this program")
        chosen = variants.default
        if variants.discr is None:
            chosen = chosen or next(iter(variants.by_number.values()), None)
        else:
            shape, offset = variants.discr
            number = self.memory.number(self.address + offset, shape.size)
            chosen = variants.choose(number, shape.size)
        if chosen is None:
            raise Trouble(f"the {self.shape.name} at {self.address:#x} is in no known state")
        name, shape, offset, file, line = chosen
        return name, self.at(shape, offset), file, line

    def variant_name(self):
        """Also of an enum without data."""
        if self.shape.tag == d.ENUM:
            return self.shape.enumerators.get(self.number(), "?")
        return self.variant()[0]

    def number(self):
        """The number in it, through any wrappers: `Cell`, `NonZero`, `Atomic`, a newtype."""
        value = self.peel()
        if value.shape.size > 16 or value.shape.members:
            raise Trouble(f"{self.shape.name} is no number in this program")
        signed = value.shape.encoding in (5, 6)
        return self.memory.number(value.address, value.shape.size, signed)

    def peel(self):
        """What is inside, as long as there is only one thing inside."""
        value = self
        while value.shape.tag in (d.STRUCT, d.UNION) and value.shape.variants is None:
            inside = [(s, o) for _, s, o in value.shape.members if s.size > 0]
            if len(inside) != 1:
                break
            value = value.at(*inside[0])
        return value

    def dig(self, start):
        """The first part of it whose type's name starts like this. So we need not know through how
        many layers std wraps what a `Mutex` or an `Rc` holds; those change between Rust versions.
        """
        level = [self]
        for _ in range(12):
            deeper = []
            for value in level:
                if value.shape.name.startswith(start):
                    return value
                if value.shape.tag == d.STRUCT and value.shape.variants is None:
                    deeper += [value.at(shape, offset) for _, shape, offset in value.shape.members]
            level = deeper
        raise Trouble(f"there is no {start} in {self.shape.name} in this program")

    def pointer(self):
        """The address in it: of a pointer, an `Rc`, a `Box`, a `NonNull`, through any wrappers."""
        level = [self]
        for _ in range(12):
            deeper = []
            for value in level:
                if value.shape.is_pointer():
                    return value
                if value.shape.tag == d.STRUCT:
                    deeper += [value.at(shape, offset) for _, shape, offset in value.shape.members]
            level = deeper
        raise Trouble(f"there is no pointer in {self.shape.name} in this program")

    def deref(self):
        """What it points to. Behind a `dyn` pointer, what is really there."""
        shapes = self.shape.shapes
        wide = self.wide()
        if wide is not None:
            data, vtable = wide
            concrete = shapes.behind_vtable(vtable - shapes.bias)
            if concrete is None:
                raise Trouble(f"nothing is known of the type behind the vtable at {vtable:#x}")
            return Value(self.memory, concrete, data)
        pointer = self.pointer()
        address = self.memory.number(pointer.address, 8)
        if pointer.shape.target is None:
            raise Trouble(f"{self.shape.name} points to something of which nothing is known")
        return Value(self.memory, pointer.shape.target, address)

    def wide(self):
        """(data, vtable) of a pointer to `dyn`, through any wrappers; None if it is none."""
        value = self
        for _ in range(12):
            names = [name for name, _, _ in value.shape.members]
            if "vtable" in names and "pointer" in names:
                at = {name: offset for name, _, offset in value.shape.members}
                number = value.memory.number
                return number(value.address + at["pointer"], 8), number(value.address + at["vtable"], 8)
            if value.shape.tag != d.STRUCT or value.shape.variants is not None:
                return None
            inside = [(shape, offset) for _, shape, offset in value.shape.members if shape.size > 0]
            if not inside:
                return None
            value = value.at(*inside[0])
        return None
