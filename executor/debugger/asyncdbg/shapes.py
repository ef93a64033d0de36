"""What a type looks like in memory: its size, its members, its variants."""

from . import forms as d


class Shape:
    """A type. Its parts are read when they are first asked for."""

    def __init__(self, shapes, entry):
        self.shapes, self.entry, self.tag = shapes, entry, entry.tag
        self._name = self._members = self._variants = self._parameters = None

    def __repr__(self):
        return f"<{self.name}>"

    @property
    def name(self):
        """With its path: `demo::stand::get_burgers::{async_fn_env#0}`."""
        if self._name is None:
            if self.tag == d.STRUCT or self.tag == d.ENUM or self.tag == d.UNION:
                self._name = self.entry.path() or "?"
            elif self.tag == d.ARRAY:
                self._name = f"[{self.target.name}; {self.count}]"
            else:
                self._name = self.entry.name or ("*" + self.target.name if self.target else "()")
        return self._name

    @property
    def base(self):
        """The last part of the name, without its parameters."""
        return self.entry.name.split("<", 1)[0] if self.entry.name else ""

    @property
    def size(self):
        size = self.entry.get(d.A_SIZE)
        if size is not None:
            return size
        if self.tag == d.ARRAY:
            return self.target.size * self.count
        return 8 if self.tag in (d.POINTER, d.SUBROUTINE) else 0

    @property
    def encoding(self):
        """Of a plain number: 2 bool, 4 float, 5 or 6 signed, 7 or 8 unsigned, 0x10 char."""
        return self.entry.get(d.A_ENCODING)

    @property
    def target(self):
        """What a pointer points to, what an array consists of."""
        return self.shapes.of(self.entry.get(d.A_TYPE))

    @property
    def count(self):
        """How long an array is."""
        for child in self.entry.children():
            if child.tag == d.SUBRANGE:
                count = child.get(d.A_COUNT)
                return count if count is not None else (child.get(d.A_UPPER) or -1) + 1
        return 0

    def is_pointer(self):
        return self.tag == d.POINTER

    @property
    def members(self):
        """[(name, shape, offset)]"""
        if self._members is None:
            self._members = []
            for child in self.entry.children():
                if child.tag == d.MEMBER and child.get(d.A_TYPE) is not None:
                    shape = self.shapes.of(child.get(d.A_TYPE))
                    self._members.append((child.name or "", shape, child.get(d.A_OFFSET) or 0))
        return self._members

    @property
    def variants(self):
        """Of an enum with data, or of a coroutine: None, or its `Variants`."""
        if self._variants is None:
            parts = [child for child in self.entry.children() if child.tag == d.VARIANT_PART]
            self._variants = Variants(self.shapes, parts[0]) if parts else False
        return self._variants or None

    @property
    def enumerators(self):
        """Of an enum without data: {number: name}."""
        return {
            child.get(d.A_CONST): child.name
            for child in self.entry.children()
            if child.tag == d.ENUMERATOR
        }

    def parameter(self, name):
        """The type that a generic type was made with: `T` of `Vec<T>`."""
        if self._parameters is None:
            self._parameters = {
                child.name: child.get(d.A_TYPE)
                for child in self.entry.children()
                if child.tag == d.TEMPLATE_TYPE
            }
        return self.shapes.of(self._parameters.get(name))

    def is_coroutine(self):
        """The value of an async fn or an async block."""
        return self.variants is not None and self.variants.is_coroutine


class Variants:
    """The variants of an enum or a coroutine: (name, shape, offset, file, line).

    Of a coroutine they are called Unresumed, Returned, Panicked, Suspend0, Suspend1 ..., and file
    and line are those of the `.await` where it stands. No debugger hands those out.
    """

    def __init__(self, shapes, part):
        discr = part.get(d.A_DISCR)
        self.discr = None
        self.by_number, self.default = {}, None
        if discr is not None:
            shape = shapes.of(discr.get(d.A_TYPE))
            self.discr = shape, discr.get(d.A_OFFSET) or 0
        self.is_coroutine = discr is not None and discr.name == "__state"
        for child in part.children():
            if child.tag != d.VARIANT:
                continue
            member = next((m for m in child.children() if m.tag == d.MEMBER), None)
            if member is None:
                continue
            shape, file = shapes.of(member.get(d.A_TYPE)), member.get(d.A_DECL_FILE)
            variant = (
                shape.entry.name or member.name,
                shape,
                member.get(d.A_OFFSET) or 0,
                file and part.unit.file(file),
                member.get(d.A_DECL_LINE),
            )
            number = child.get(d.A_DISCR_VALUE)
            if number is None:
                self.default = variant
            else:
                self.by_number[number] = variant

    def all(self):
        return [*self.by_number.values(), *([self.default] if self.default else [])]

    def choose(self, number, size):
        """The variant that a discriminant means. Numbers may be written with or without a sign."""
        for candidate in (number, number - (1 << 8 * size), number + (1 << 8 * size)):
            if candidate in self.by_number:
                return self.by_number[candidate]
        return self.default


class Shapes:
    """All types of a program, each one read once."""

    def __init__(self, dwarf):
        self.dwarf, self._known, self._vtables, self._functions, self._named = dwarf, {}, {}, {}, {}
        self._bodies = {}
        self.leads = {}  # which types lead to a future: see futures.py

    def of(self, entry):
        if entry is None:
            return None
        shape = self._known.get(entry.offset)
        if shape is None:
            shape = self._known[entry.offset] = Shape(self, entry)
        return shape

    def of_static(self, address):
        """The type of the static at this address."""
        for entry in self.dwarf.variables_at(address):
            kind = entry.get(d.A_TYPE) or (entry.get(d.A_SPEC) and entry.get(d.A_SPEC).get(d.A_TYPE))
            if kind is not None:
                return self.of(kind)
        return None

    def of_coroutine_body(self, address):
        """The coroutine whose body is the function at this address: `f::{async_fn#0}` is the body of
        `f::{async_fn_env#0}`, and stands beside it.
        """
        for entry in self.dwarf.functions_at(address):
            declared = entry.get(d.A_SPEC) or entry.get(d.A_ORIGIN) or entry
            parent, name = declared.unit.parent(declared), (declared.name or "").replace("#", "_env#", 1)
            for sibling in parent.children() if parent is not None else ():
                if sibling.tag == d.STRUCT and sibling.name == name:
                    return self.of(sibling)
        return None

    def place_of_argument(self, address):
        """Where in its frame the function at this address keeps its first argument: so many bytes above
        the stack pointer. None if that is not said so simply, as in optimised code.
        """
        entry = next(self.dwarf.functions_at(address), None)
        for child in entry.children() if entry is not None else ():
            if child.tag == d.PARAMETER:
                place = child.get(d.A_LOCATION)
                is_simple = isinstance(place, bytes) and place[:1] == b"\x91"  # DW_OP_fbreg
                return d.sleb(place, 1)[0] if is_simple else None
        return None

    def drops_of(self, shape):
        """The addresses of the functions that drop a value of this type. (Rust 1.97 has renamed them.)"""
        names = [f"{name}<{shape.name}>" for name in ("drop_in_place", "drop_glue")]
        found = [entry.get(d.A_LOW_PC) for name in names for entry in self.dwarf.named(name, d.SUBPROGRAM)]
        return [address for address in found if address]

    def body_of_coroutine(self, shape):
        """The address of the function that is the body of this coroutine; None if it is not found."""
        path = shape.name.replace("_env#", "#")
        if path not in self._bodies:
            found = [entry.get(d.A_LOW_PC) for entry in self.dwarf.functions_named(path)]
            same = [low for low in found if self.of_coroutine_body(low) is not None]
            exact = [low for low in same if self.of_coroutine_body(low).name == shape.name]
            self._bodies[path] = (exact or same or [None])[0]
        return self._bodies[path]

    def named(self, path):
        """A structure, by its name with its path."""
        if path not in self._named:
            self._named[path] = self.of(next(self.dwarf.structures_named(path), None))
        return self._named[path]

    def name_of_function(self, address):
        """`turns::eat::{async_fn#0}`: with its path, as it is in the source."""
        if address not in self._functions:
            entry = next(self.dwarf.functions_at(address), None)
            self._functions[address] = entry and entry.path()
        return self._functions[address]

    def behind_vtable(self, address):
        """The concrete type of a `dyn` value: rustc writes it beside each vtable."""
        if address not in self._vtables:
            self._vtables[address] = None
            for entry in self.dwarf.variables_at(address):
                kind = entry.get(d.A_TYPE)
                concrete = kind and kind.get(d.A_CONTAINING)
                if concrete is not None:
                    self._vtables[address] = self.of(concrete)
                    break
        return self._vtables[address]
