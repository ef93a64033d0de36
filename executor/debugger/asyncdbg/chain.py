"""Who waits for whom: `async why`.

A task that waits for another one's end, or for a word over a channel of which another one has the
end, cannot go on before that one does. Follow these, and either there is something outside (a
socket, a timer, a job), or nothing, or the chain comes back to where it was: a deadlock.
"""

from . import Trouble, report, std, wakers, within
from .futures import kept, tree

ENDS = (
    "executor::channel::Sender",
    "executor::channel::Receiver",
    "executor::channel::oneshot::OneshotSender",
)


MOST_ITEMS = 40  # of a list


class Edge:
    """One thing that a task waits for, and the tasks that it is in the hands of. It is not sure if it
    may have been moved out of them.
    """

    def __init__(self, words, tasks=(), note="", sure=True):
        self.words, self.tasks, self.note, self.sure = words, list(tasks), note, sure


class Holder:
    """A variable of a task with an end of a channel in it."""

    def __init__(self, end, task, name, stale):
        self.end, self.task, self.name, self.stale = end, task, name, stale

    def words(self, noun):
        moved = ", perhaps moved out" if self.stale else ""
        return f"{self.task.label} has a {noun} (`{self.name}`{moved})"


class Graph:
    """Of all tasks of a program."""

    def __init__(self, program):
        self.program, self._trees, self._holders = program, {}, None

    def tree(self, task):
        if task.key not in self._trees:
            self._trees[task.key] = tree(task)
        return self._trees[task.key]

    def edges(self, task):
        if task.state in ("ready", "running"):
            return [
                Edge("nothing: it is running" if task.state == "running" else "its turn in the ready queue")
            ]
        root = self.tree(task)
        if root is None:
            return [Edge("nothing: it has ended")]
        leaves = root.leaves()
        edges = [self.edge(leaf) for leaf in leaves]
        for edge, words in zip(edges, report.counted([edge.words for edge in edges])):
            edge.words = words
        if any(not leaf.known for leaf in leaves) and not wakers.search(self.program, task):
            edges[0].note = "and nobody has a waker of it: its wake-up is lost"
        return edges

    def edge(self, leaf):
        if leaf.task is not None:
            return Edge(f"the end of {leaf.task.label}", [leaf.task])
        return self.channel_edge(leaf) if leaf.channel is not None else Edge(leaf.waits)

    def channel_edge(self, leaf):
        address, kind, handles = leaf.channel
        holders = self.holders().get((address, kind), [])
        alive = [one for one in holders if not one.stale]
        if ends_of(alive) >= handles:  # those are all: what may have been moved out has been
            holders = alive
        noun = {"Sender": "sender", "Receiver": "receiver", "OneshotSender": "sender"}[kind]
        first = {one.task.key: one for one in reversed(holders)}  # one of each task is enough
        holders = [one for one in holders if first[one.task.key] is one]
        names = ", ".join(one.words(noun) for one in holders)
        rest = handles - ends_of(holders)
        if names and rest > 0:
            names += f", and {rest} more somewhere else"
        elif not names:
            names = f"no task has a {noun} among its variables"
        sure = not any(one.stale for one in holders)
        return Edge(leaf.waits, [one.task for one in holders] if rest <= 0 else [], names, sure)

    def holders(self):
        """{(channel, kind of end): [holder]}, as far as it is in variables of coroutines."""
        if self._holders is None:
            self._holders = {}
            for task in self.program.tasks():
                try:
                    root = self.tree(task)
                except Trouble:
                    continue
                for node in root.all() if root is not None else ():
                    awaited = [(name, value, False) for name, value in node.fields if name == "__awaitee"]
                    for name, value, stale in kept(node) + awaited:
                        for end in ends(value, 0):
                            self.hold(Holder(end, task, name, stale))
        return self._holders

    def hold(self, holder):
        end = holder.end
        try:
            field = end.field("channel" if end.has("channel") else "slot")
            inner = field.deref()
            at = inner.field("value" if inner.has("value") else "data").address
        except Trouble:
            return
        self._holders.setdefault((at, end.shape.base), []).append(holder)

    def cycle(self, task):
        """(the tasks of a circle that this one leads into, whether that is sure): each waits for the
        next, and for nobody outside. None if there is no such circle.
        """
        path, sure = [task], []
        while True:
            edges = self.edges(path[-1])
            nexts = [edge.tasks[0] for edge in edges if len(edge.tasks) == 1]
            if len(edges) != 1 or len(nexts) != 1:
                return None
            keys = [other.key for other in path]
            sure.append(edges[0].sure)
            if nexts[0].key in keys:
                first = keys.index(nexts[0].key)
                return path[first:], all(sure[first:])
            path.append(nexts[0])


def ends_of(holders):
    """How many ends these are: two tasks may share one."""
    return len({one.end.address for one in holders})


def ends(value, depth):
    """The ends of channels that are in a variable, also if it is a list or owns them by a pointer."""
    name = value.shape.name.split("<", 1)[0]
    if name in ENDS:
        yield value
    elif depth < 6 and not value.shape.is_coroutine():
        try:
            for inner in owned(value):
                yield from ends(inner, depth + 1)
        except Trouble:
            return


def owned(value):
    """What is in a value, but not what it only borrows."""
    base = value.shape.base
    if base in ("Rc", "Arc"):
        return [std.counted(value)]
    if base in ("RefCell", "Mutex"):
        return [std.cell(value)]
    if base == "Box" and value.wide() is None and not within.is_slice(value):
        return [value.deref()]
    items = within.items(value, MOST_ITEMS) if base in ("Vec", "VecDeque") else None
    if items is not None:
        return items[:MOST_ITEMS]
    return [] if value.shape.is_pointer() else [field for _, field in value.fields()]
