"""Names of types and functions, as a person would say them."""

import re

from . import forms as d


def short(name):
    """A type's name without the paths: `core::option::Option<demo::stand::Order>` is
    `Option<Order>`, and that of a coroutine is the name of its function.
    """
    name = re.sub(r"::\{impl#\d+\}|\{impl#\d+\}::", "", name)
    name = re.sub(r"::\{async_fn(_env)?#\d+\}", "", name)
    name = re.sub(r"\{async_(block|closure)(_env|_body)?#\d+\}", r"{async \1}", name)
    name = re.sub(r"\{closure(_env)?#\d+\}", "{closure}", name)
    name = re.sub(r", alloc::alloc::Global", "", name)
    return re.sub(r"\b\w+::(?=[\w{])(?!\{)", "", name)


def function(name, shape):
    """`demo::stand::get_burgers::{async_fn_env#0}` is `get_burgers`; what is in an `impl` gets the name
    of the type in front, and a block has that of its function. `shape` is its coroutine.
    """
    name = re.sub(r"<.*", "", name)
    parts = [part for part in name.split("::") if part]
    is_block = "async_block" in parts[-1] or "async_closure" in parts[-1]
    in_impl = any(part.startswith("{impl#") for part in parts[-4:])
    parts = [part for part in parts if not part.startswith("{")]
    if in_impl:
        parts[-2:-1] = [type_of_self(shape) or parts[-2]]
    return "::".join(parts[-2:] if in_impl else parts[-1:]) + ("::{async block}" if is_block else "")


def type_of_self(shape):
    """`Grill` of a method with a `self`. Of an `impl` itself the debug information does not say whose it
    is: then it is the name of the module that stands in front.
    """
    members = shape.variants.by_number[0][1].members if shape is not None and shape.is_coroutine() else ()
    kind = next((kind for name, kind, _ in members if name.replace("_ref__", "") == "self"), None)
    for _ in range(4):  # `&self`, `self: Rc<Self>`, `self: Pin<&mut Self>`
        if kind is not None and kind.is_pointer():
            kind = kind.target
        elif kind is not None and kind.base in ("Rc", "Arc", "Box", "Pin"):
            kind = kind.parameter("Ptr" if kind.base == "Pin" else "T")
    return kind.base if kind is not None and kind.tag in (d.STRUCT, d.ENUM, d.UNION) else None
