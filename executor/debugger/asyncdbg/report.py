"""The parts of the text: tables, and trees of frames."""

from . import Trouble
from .futures import tree, variables


def table(rows):
    """Columns side by side. The first row is the heading."""
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            (
                cell.rjust(width)
                if cell.isdigit() or (row is rows[0] and head_is_number(rows, n))
                else cell.ljust(width)
            )
            for n, (cell, width) in enumerate(zip(row, widths))
        ]
        lines.append(("  " + "  ".join(cells)).rstrip())
    return lines


def head_is_number(rows, n):
    return len(rows) > 1 and all(row[n].isdigit() for row in rows[1:])


def woken_by(task):
    """Who woke it last."""
    if task.woken_by == "Task":
        by = task.woken_by_task
        if by == task.id:
            return "itself"
        other = task.executor.task(by)
        return other.label if other else f"task {by}, which has ended"
    words = {"Spawn": "-", "Park": "the reactor", "Thread": "another thread"}
    return words.get(task.woken_by, "?")


def state(task):
    if task.state == "ready":
        place = task.place
        return f"ready, place {place}" if place else "ready"
    return task.state + (", aborted" if task.aborted and task.state != "ended" else "")


def waits(task):
    """On what it is parked, in one line."""
    if task.state == "ended":
        return "somebody to take its output"
    if task.state in ("ready", "running"):
        return ""
    try:
        root = tree(task)
        words = [leaf.waits for leaf in root.leaves()] if root else []
    except Trouble as trouble:
        return f"({trouble})"
    several = list(dict.fromkeys(counted(words)))
    text = "; ".join(several[:3]) + (f"; {len(several) - 3} more" if len(several) > 3 else "")
    return text or "nothing that is known here"


def counted(words):
    """The same, but for timers in a core file: all that is known of two of them is that there are two."""
    timers = ("timer", "timer, not armed yet")
    several = {word for word in timers if words.count(word) > 1}
    return [f"{words.count(word)} timers{word[5:]}" if word in several else word for word in words]


def heading(task):
    times = {0: "not polled yet", 1: "polled once"}.get(task.polls, f"polled {task.polls} times")
    woken = "not woken yet" if task.woken_by == "Spawn" else f"last woken by {woken_by(task)}"
    return f"{task.label}, {state(task)}; {times}, {woken}; spawned at {task.spawned_at}"


class Frames:
    """The logical stack of a task, innermost await last."""

    def __init__(self):
        self.number, self.seen = 0, []

    def task(self, task):
        lines = [heading(task)]
        if any(other.key == task.key for other in self.seen):
            return [f"{task.label}: see above, this is a circle"]
        self.seen.append(task)
        try:
            root = tree(task)
            if task.state == "running":
                now = task.executor.program.world.stack()
                if now:
                    return lines + ["  it runs right now:", *now]
                lines.append("  it runs right now; this is where it stood before:")
            if root is None:
                lines.append("  it has ended: only its output is left")
            else:
                lines += ["  " + line for line in self.node(root)]
        except Trouble as trouble:
            lines.append(f"  {trouble}")
        self.seen.pop()
        return lines

    def node(self, node):
        head = f"#{self.number}  {node.title}"
        self.number += 1
        if node.waits is not None and node.waits != node.title:
            head += f": {node.waits}"
        if node.at:
            head += f"  at {node.at}" if node.coroutine else f"  (made at {node.at})"
        lines = [head]
        for name, text, stale in variables(node):
            lines.append(f"      {name} = {text}" + ("  (perhaps moved out)" if stale else ""))
        if node.task is not None:
            lines += self.task(node.task)
        if len(node.branches) == 1 and not node.branches[0][0]:
            return lines + self.node(node.branches[0][1])
        for n, (label, branch) in enumerate(node.branches):
            last = n == len(node.branches) - 1
            inner = self.node(branch)
            lines.append(f"{'`' if last else '|'}- {label + ': ' if label else ''}{inner[0]}")
            lines += [("   " if last else "|  ") + line for line in inner[1:]]
        return lines
