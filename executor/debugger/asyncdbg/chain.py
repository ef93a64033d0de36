"""Who waits for whom: `async why`.

A task that waits for another one's end, or for a word over a channel of which another one has the
end, cannot go on before that one does. Follow these, and either there is something outside (a
socket, a timer, a job), or nothing, or the chain comes back to where it was: a deadlock.
"""

from . import Trouble, report, wakers
from .futures import tree

ENDS = (
    "executor::channel::Sender",
    "executor::channel::Receiver",
    "executor::channel::oneshot::OneshotSender",
)


class Edge:
    """One thing that a task waits for, and the tasks that it is in the hands of."""

    def __init__(self, words, tasks=(), note=""):
        self.words, self.tasks, self.note = words, list(tasks), note


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
        if leaf.channel is not None:
            address, kind, handles = leaf.channel
            holders = self.holders().get((address, kind), [])
            noun = {"Sender": "sender", "Receiver": "receiver", "OneshotSender": "sender"}[kind]
            names = ", ".join(f"{task.label} has a {noun} (`{name}`)" for task, name in holders)
            rest = handles - len(holders)
            if names and rest > 0:
                names += f", and {rest} more somewhere else"
            elif not names:
                names = f"no task has a {noun} among its variables"
            return Edge(leaf.waits, [task for task, _ in holders] if rest <= 0 else [], names)
        return Edge(leaf.waits)

    def holders(self):
        """{(channel, kind of end): [(task, variable)]}, as far as it is in variables of coroutines."""
        if self._holders is None:
            self._holders = {}
            for task in self.program.tasks():
                try:
                    root = self.tree(task)
                except Trouble:
                    continue
                for node in root.all() if root is not None else ():
                    for name, value in node.fields:
                        for end in ends(value, 0):
                            self.hold(end, task, name)
        return self._holders

    def hold(self, end, task, name):
        try:
            field = end.field("channel" if end.has("channel") else "slot")
            inner = field.deref()
            at = inner.field("value" if inner.has("value") else "data").address
        except Trouble:
            return
        holders = self._holders.setdefault((at, end.shape.base), [])
        if all(other.key != task.key for other, _ in holders):
            holders.append((task, name))

    def cycle(self, task):
        """The tasks of a circle that this one leads into: each waits for the next, and for nobody
        outside. None if there is no such circle.
        """
        path = [task]
        while True:
            edges = self.edges(path[-1])
            nexts = [edge.tasks[0] for edge in edges if len(edge.tasks) == 1]
            if len(edges) != 1 or len(nexts) != 1:
                return None
            keys = [other.key for other in path]
            if nexts[0].key in keys:
                return path[keys.index(nexts[0].key) :]
            path.append(nexts[0])


def ends(value, depth):
    """The ends of channels that are in a variable."""
    name = value.shape.name.split("<", 1)[0]
    if name in ENDS:
        yield value
    elif depth < 4 and not value.shape.is_coroutine() and not value.shape.is_pointer():
        try:
            for _, field in value.fields():
                yield from ends(field, depth + 1)
        except Trouble:
            return
