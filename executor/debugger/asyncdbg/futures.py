"""The tree of futures in a task: from the task to what it waits for.

An async fn that waits holds the future it waits for in a variable called `__awaitee`. Follow that,
and what it holds in turn, and you have the stack, though nothing of it is on a stack. Where a future
holds several others it becomes a tree. No combinator is known by name to this walk, unless there is
more to say of it than that: any field is followed whose type leads to a future.
"""

import re

from . import Trouble, sources, std, within
from . import forms as d
from .names import function, short
from .show import show

MOST_BRANCHES = 40
DEEPEST = 100


class Node:
    """A frame of the logical stack: an async fn at its `.await`, a combinator, or a leaf."""

    def __init__(self, title, at=None):
        self.title, self.at = title, at
        self.fields = []  # of an async fn: its variables, as [(name, value)]
        self.branches = []  # [(label, Node)]: one is a stack, several are a tree
        self.waits = None  # of a leaf: what it waits for, in words
        self.task = None  # of a JoinHandle: the task whose end it waits for
        self.channel = None  # of a channel's future: (address, kind of the other end, how many)
        self.value = None
        self.coroutine = False
        self.known, self.never = True, False  # what it is; whether it is never over

    def all(self):
        """Itself and all that it holds."""
        yield self
        for _, node in self.branches:
            yield from node.all()

    def leaves(self):
        """Those at the ends of all branches."""
        return [node for node in self.all() if node.waits is not None]


def tree(task):
    """The root node of a task; None if it has ended."""
    future = task.future()
    return None if future is None else Walk(task.executor.program).node(future, 0)


class Walk:
    """One walk over the futures of a task."""

    def __init__(self, program):
        self.program = program

    def node(self, value, depth):
        """The node of a future, through any pointers and boxes around it."""
        if depth > DEEPEST:
            return self.unknown("futures within futures, too deep to follow")
        try:
            value = self.through(value)
            if value.shape.is_coroutine():
                node = self.coroutine(value, depth)
            else:
                known = KNOWN.get(re.sub(r"<.*", "", value.shape.name))
                node = known(self, value, depth) if known else self.other(value, depth)
        except Trouble as trouble:  # what is above it is known nevertheless
            node = self.unknown(unread(trouble), short(value.shape.name))
        node.value = value
        return node

    def unknown(self, text, title=None):
        node = Node(title or text)
        node.waits, node.known = text, False
        return node

    def through(self, value):
        """Past `Pin`, `Box`, `&mut` and `dyn`."""
        for _ in range(16):
            if within.is_slice(value):
                break
            if value.wide() is not None or value.shape.is_pointer():
                value = value.deref()
            elif value.shape.base in (
                "Pin",
                "Box",
                "ManuallyDrop",
                "MaybeUninit",
                "MaybeDangling",
                "AssertUnwindSafe",
            ):
                value = value.at(*max(value.shape.members, key=lambda m: m[1].size)[1:])
            else:
                break
        return value

    def coroutine(self, value, depth):
        state, fields, file, line = value.variant()
        node = Node(function(value.shape.name, value.shape), f"{file}:{line}" if line else None)
        node.coroutine = True
        if state in ("Unresumed", "Returned", "Panicked"):
            node.waits = {
                "Unresumed": "nothing yet: it has not been polled",
                "Returned": "nothing: it has returned",
                "Panicked": "nothing: it has panicked",
            }[state]
            return node
        node.fields = fields.fields()
        awaited = [field for name, field in node.fields if name == "__awaitee"]
        if awaited:
            node.branches.append(("", self.node(awaited[0], depth + 1)))
        return node

    def other(self, value, depth):
        """A future of which nothing is known but its type: follow whatever leads on."""
        node = Node(short(value.shape.name))
        found, trouble = [], None
        try:
            for path, inner in self.inside(value, 0, set()):
                found.append((path, inner))
        except Trouble as caught:
            trouble = caught
        found = found[:MOST_BRANCHES]
        node.branches = [(label, self.node(inner, depth + 1)) for label, (_, inner) in zip(within.labels(found), found)]
        if trouble:
            node.branches.append(("", self.unknown(unread(trouble))))
        elif not found:
            node.waits, node.known = f"something else ({short(value.shape.base)})", False
        return node

    def inside(self, value, depth, seen):
        """[(path, future)]: the nearest futures among its fields, and the names on the way there."""
        here = value.address, value.shape.entry.offset
        if depth > 8 or here in seen:  # a list that leads back
            return
        seen.add(here)
        if value.shape.base in ("Vec", "VecDeque") and not leads(value.shape.parameter("T")):
            return
        items = within.items(value, MOST_BRANCHES)
        if items is not None:
            for number, item in enumerate(items[:MOST_BRANCHES]):
                for path, inner in self.inside_or_self(item, depth + 1, seen):
                    yield (f"[{number}]", *path), inner
            return
        fields = [(name, field) for name, field in value.fields() if leads(field.shape)]
        for name, field in fields:
            for path, inner in self.inside_or_self(field, depth + 1, seen):
                yield within.joined(name.replace("_ref__", ""), path, len(fields) > 1), inner

    def inside_or_self(self, value, depth, seen):
        if within.is_null(value):
            return
        value = self.through(value)
        if is_future(value.shape):
            yield (), value
        else:
            yield from self.inside(value, depth, seen)

    # The executor's own ------------------------------------------------------------------------

    def join_handle(self, value, _):
        number, scheduler = value.field("id").number(), value.field("scheduler")
        node = Node("JoinHandle")
        pointer = std.option(scheduler)
        if pointer is None:
            node.waits = "nothing: it has given its output"
            return node
        at = std.counted(pointer).address
        for executor in self.program.executors:
            if executor.value.address == at:
                node.task = executor.task(number)
        node.waits = f"join of {node.task.label}" if node.task else f"join of task {number}"
        return node

    def branches(self, value, depth):
        """`Join` and `Race`: two branches; `JoinAll`: any number."""
        node = Node(short(value.shape.name.split("<", 1)[0]).lower())
        if value.has("branches"):
            node.title = "join_all"
            several = std.option(value.field("branches"))
            labelled = [(f"[{n}]", branch) for n, branch in enumerate(std.vec(several) if several else [])]
        else:
            labelled = [(name, value.field(name)) for name in ("a", "b")]
        for label, branch in labelled[:MOST_BRANCHES]:
            state, fields, _, _ = branch.variant()
            if state == "Running":
                node.branches.append((label, self.node(fields.field("__0"), depth + 1)))
            else:
                node.branches.append((label, Node("has ended" if state == "Ended" else "is over")))
        return node

    def timeout(self, value, depth):
        node = Node("timeout")
        future = std.option(value.field("future"))
        if future is not None:
            node.branches.append(("", self.node(future, depth + 1)))
        node.branches.append(("limit", self.sleep(value.field("sleep"), depth + 1)))
        return node

    def leaf(self, value, title, waits):
        node = Node(title)
        node.waits = waits
        if value.has("at"):
            node.at = std.location(value.field("at"))
        return node

    def yield_now(self, value, _):
        return self.leaf(value, "YieldNow", "its next turn")

    def send(self, value, _):
        channel = value.field("channel").deref()
        queue, capacity = std.deque(std.cell(channel.field("queue"))), channel.field("capacity").number()
        receivers = channel.field("receivers", "handles").number()
        text = f"channel: to send ({len(queue)} of {capacity} in it; {count(receivers, 'receiver')})"
        return self.channel(self.leaf(value, "Send", text), channel.address, "Receiver", receivers)

    def recv(self, value, _):
        channel = value.field("channel").deref()
        senders = channel.field("senders", "handles").number()
        queue = std.deque(std.cell(channel.field("queue")))
        inside = f"{len(queue)} in it" if queue else "empty"
        node = self.leaf(value, "Recv", f"channel: to receive ({inside}; {count(senders, 'sender')})")
        return self.channel(node, channel.address, "Sender", senders)

    def oneshot(self, value, _):
        node = self.leaf(value, "OneshotReceiver", "channel: to receive its one value")
        return self.channel(node, std.counted(value.field("slot")).address, "OneshotSender", 1)

    def channel(self, node, address, other_end, handles):
        """What would wake it is in the hands of whoever has the other end."""
        node.channel = address, other_end, handles
        return node

    # The reactor's -----------------------------------------------------------------------------

    def sleep(self, value, _):
        return self.leaf(value, "Sleep", sources.timer(self.program, value))

    def io(self, value, _):
        return self.leaf(value, "Io", sources.socket(self.program, value))

    def blocking(self, value, _):
        meeting = std.counted(value.field("desk")).dig("reactor::blocking::Meeting")
        stage = meeting.field("stage").variant_name()
        words = {"Queued": "in line", "Running": "running", "Done": "done"}
        text = f"blocking job {value.field('job').number()}, {words.get(stage, 'over')}"
        return self.leaf(value, "Blocking", text)

    def never(self, value, _):
        node = self.leaf(value, "pending", "for ever: `pending` never ends")
        node.never = True
        return node

    def ready(self, value, _):
        return self.leaf(value, "ready", "nothing: it is ready")


KNOWN = {
    "executor::join::JoinHandle": Walk.join_handle,
    "executor::combine::Join": Walk.branches,
    "executor::combine::Race": Walk.branches,
    "executor::combine::JoinAll": Walk.branches,
    "executor::combine::YieldNow": Walk.yield_now,
    "executor::channel::Send": Walk.send,
    "executor::channel::Recv": Walk.recv,
    "executor::channel::oneshot::OneshotReceiver": Walk.oneshot,
    "reactor::time::Sleep": Walk.sleep,
    "reactor::time::Timeout": Walk.timeout,
    "reactor::io::Io": Walk.io,
    "reactor::blocking::Blocking": Walk.blocking,
    "core::future::pending::Pending": Walk.never,
    "futures_util::future::pending::Pending": Walk.never,
    "core::future::ready::Ready": Walk.ready,
}

FUTURE = re.compile(
    r"async_fn_env#|async_block_env#|async_closure_env#|dyn core::future::future::Future|core::future::poll_fn::PollFn<|"
    + "|".join(re.escape(name) + r"\b" for name in KNOWN)
)


def is_future(shape):
    name = re.sub(r"<.*", "", shape.name)
    return shape.is_coroutine() or name in KNOWN or name == "core::future::poll_fn::PollFn"


def leads(shape, depth=0):
    """Whether a future can be reached from a value of this type, directly or in a box."""
    if shape is None or depth > 4 or shape.base in ("Rc", "Arc", "Context", "Waker", "PhantomData"):
        return False
    known = shape.shapes.leads
    if shape.entry.offset not in known:
        known[shape.entry.offset] = False  # while we look: a type that leads to itself
        inner = [shape.target] if shape.is_pointer() else [member for _, member, _ in shape.members]
        if shape.variants is not None:
            inner += [variant[1] for variant in shape.variants.all()]
        known[shape.entry.offset] = bool(FUTURE.search(shape.name)) or any(leads(s, depth + 1) for s in inner)
    return known[shape.entry.offset]


def unread(trouble):
    return f"something that cannot be followed ({trouble})"


# A text that was moved out and freed since then.
GARBAGE = re.compile(r"\ufffd|\\x00")


def variables(node):
    """The variables that live across the await: [(name, text, perhaps moved out)]."""
    found = [(name, show(field), stale) for name, field, stale in kept(node)]
    return [(name, "?" if stale and GARBAGE.search(text) else text, stale) for name, text, stale in found]


def kept(node):
    """The same, as [(name, value, perhaps moved out)].

    The arguments of an async fn are moved into variables of the same name when it starts. If both
    are listed, the first one is the variable. If only the argument is, or what a block has captured,
    it may be an empty shell by now.
    """
    if not node.fields:
        return []
    at = node.value.address
    start = {name: at + offset for name, _, offset in node.value.shape.variants.by_number[0][1].members}
    names = [name for name, _ in node.fields]
    seen, found = set(), []
    for name, field in node.fields:
        if name == "__awaitee" or re.fullmatch(r"__\d+", name) or name in seen:
            continue
        seen.add(name)
        stale = names.count(name) == 1 and start.get(name) == field.address and not is_copy(field.shape)
        found.append((name.replace("_ref__", ""), field, stale))
    return found


def is_copy(shape):
    return shape.base.startswith("&") or shape.tag in (d.BASE, d.POINTER) and "Box<" not in shape.name


def count(number, noun):
    return f"{number} {noun}" if number == 1 else f"{number or 'no'} {noun}s"
