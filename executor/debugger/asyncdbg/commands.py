"""The commands that only read: the same text in gdb, in lldb and without a debugger."""

from . import Trouble, chain, report, sources, std, steps, wakers
from .futures import tree
from .show import seconds

MOST_LINES = 1000  # of the ready queue

HELP = """\
async tasks            every coroutine: its state, on what it is parked, who woke it last
async bt [ID]          the logical stack of a task, innermost await last; of the running one by default
async bt all           of every task
async why ID           who waits for whom, down to what is outside; a circle is a deadlock
async wakers ID        where in memory its wakers are; none is the proof of a lost wake-up
async queue            the ready queue, in its order
async reactor          the sockets that the reactor watches, and who waits for them
async timers           the timers that are armed, the earliest first
async help             this

ID is the number of a task, a part of its name, its label as it is printed, or EXECUTOR.NUMBER if there
are several executors.
"""


def run(make, words):
    """(text, whether it failed). Whatever goes wrong comes out as a sentence."""
    name, arguments = words[0], words[1:]
    if name == "help":
        return HELP, False
    command = COMMANDS.get(name)
    if name in steps.COMMANDS:
        return f"`async {name}` lets the program run, and stops it: that needs gdb or lldb\n", True
    if command is None:
        return f"there is no command `async {name}`; `async help` lists those there are\n", True
    return guarded(name, lambda: command(make(), *one_id(name, arguments)))


def one_id(name, arguments):
    """`task 7 «customer 2»` comes as several words; no command takes more than one."""
    return [" ".join(arguments)] if arguments and name in TAKE_ID else arguments


def guarded(name, command):
    """(text, whether it failed)"""
    try:
        return "\n".join(command()) + "\n", False
    except Trouble as trouble:
        return f"{trouble}\n", True
    except TypeError as error:
        if "positional argument" in str(error):
            return f"`async {name}` takes other words; see `async help`\n", True
        return unexpected(error), True
    except Exception as error:
        return unexpected(error), True


def unexpected(error):
    return (
        f"this could not be read ({type(error).__name__}: {error}): the program may be in the middle of "
        "a change; let it run a little, then ask again\n"
    )


def tasks(program):
    """async tasks"""
    if not program.executors:
        return ["no executor is alive in this process"]
    lines = []
    for executor in program.executors:
        states = [task.state for task in executor.tasks]
        counts = [
            f"{states.count(state)} {state}"
            for state in ("running", "ready", "parked", "ended")
            if state in states
        ]
        lines.append(f"executor {executor.id}, {executor.state()}: {', '.join(counts) or 'no tasks'}")
        if not executor.tasks:
            continue
        rows = [["id", "name", "state", "polls", "wakes", "woken by", "parked on", "spawned at"]]
        for task in sorted(executor.tasks, key=lambda task: task.id):
            cells = [task.number, task.name, report.state(task), str(task.polls), str(task.wakes)]
            rows.append(cells + [report.woken_by(task), report.waits(task), task.spawned_at])
        lines += report.table(rows)
        if executor.more > 0:
            lines.append(f"  and {executor.more} more tasks, which are not read here")
    return lines


def bt(program, which=None):
    """async bt [ID | all]"""
    if which == "all":
        chosen = [
            task
            for executor in program.executors
            for task in sorted(executor.tasks, key=lambda task: task.id)
        ]
    elif which is not None:
        chosen = [program.find(which)]
    else:
        chosen = [task for task in program.tasks() if task.state == "running"]
        if not chosen:
            raise Trouble("no task is being polled: say whose stack, as in `async bt 1`, or `async bt all`")
    lines = []
    for task in chosen:
        lines += report.Frames().task(task) + [""]
    return lines[:-1]


def why(program, which):
    """async why ID"""
    graph, task = chain.Graph(program), program.find(which)
    lines, todo, seen = [], [task], set()
    while todo:
        task = todo.pop(0)
        if task.key in seen:
            continue
        seen.add(task.key)
        for edge in graph.edges(task):
            words = edge.words if edge.words.startswith("for ever") else f"for {edge.words}"
            line = f"{task.label} waits {words}" + (f": {edge.note}" if edge.note else "")
            if line not in lines:
                lines.append(line)
            todo += edge.tasks
    cycle = graph.cycle(program.find(which))
    if cycle:
        found, sure = cycle
        names = [other.label for other in found]
        circle = " -> ".join(names + names[:1])
        if sure:
            lines.append(f"a deadlock: {circle}; none of them will ever be woken")
        else:
            lines.append(f"perhaps a deadlock: {circle}; unless what is perhaps moved out is in other hands")
    return lines


def wakers_of(program, which):
    """async wakers ID"""
    task = program.find(which)
    found = wakers.search(program, task)
    alive = [one for one in found if one.kind != "leftover"]
    known = [one for one in alive if one.kind == "known"]
    if known:
        rest = len(alive) - len(known)
        lines = [f"{task.label}, {report.state(task)}: {count(len(known), 'waker')}"]
        lines += [f"  {one.where}" for one in known]
        if rest:
            lines.append(f"  (and {rest} in other memory, where they may be left over from before)")
    elif alive:
        lines = [
            f"{task.label}, {report.state(task)}: {count(len(alive), 'waker')}, in no place that is known here"
        ]
        lines += [f"  {one.where}, at {one.address:#x}" for one in alive]
        lines.append("they may be with a thread or in a structure of yours, or left over in freed memory")
    else:
        lines = [f"{task.label}, {report.state(task)}: no wakers"]
        if task.state == "parked" and is_pending(task):
            lines.append("it never waits for anything: `pending` never ends, and asks nobody to wake it")
        elif task.state == "parked":
            lines.append(
                "all memory was searched: nobody has a waker of it, so its wake-up is lost, and nothing can wake it"
            )
    leftovers = len(found) - len(alive)
    if leftovers:
        lines.append(f"  ({count(leftovers, 'copy')} on the stack, left over from earlier polls)")
    return lines


def is_pending(task):
    """Whether all that it waits for is `pending`: then it needs no waker."""
    try:
        root = tree(task)
        leaves = root.leaves() if root is not None else []
        return bool(leaves) and all(leaf.never for leaf in leaves)
    except Trouble:
        return False


def count(number, noun):
    plural = noun[:-1] + "ies" if noun.endswith("py") else noun + "s"
    return f"{number or 'no'} {noun if number == 1 else plural}"


def queue(program):
    """async queue"""
    lines = []
    for executor in program.executors:
        lines.append(
            f"executor {executor.id}: "
            + (f"{len(executor.queue)} in the ready queue" if executor.queue else "nobody is ready")
        )
        for place, key in enumerate(executor.queue[:MOST_LINES], 1):
            task = program.task_of_key(key)
            by = report.woken_by(task) if task else ""
            by = ", just spawned" if by == "-" else f", woken by {by}"
            words = task.label + by if task else f"key {key:#018x}, whose task has ended"
            lines.append(f"  {place}. {words}")
        if len(executor.queue) > MOST_LINES:
            lines.append(f"  and {len(executor.queue) - MOST_LINES} more")
    return lines or ["no executor is alive in this process"]


def reactor(program):
    """async reactor"""
    lines = []
    for one in program.reactors:
        found = one.sources()
        clock = "a virtual clock" if one.is_virtual() else "the system's clock"
        jobs = one.open_jobs()
        lines.append(
            f"reactor {one.id}: {count(len(found), 'socket')}, {count(len(one.timers()), 'timer')}, {count(jobs, 'blocking job')}, {clock}"
        )
        if not found:
            continue
        rows = [["slot", "what", "read", "write", "who waits"]]
        for slot, source in found:
            sides = [side(source.field("read")), side(source.field("write"))]
            who = []
            for waiter in std.vec(source.field("waiters")):
                direction = "read" if waiter.field("direction").variant_name() == "Read" else "write"
                who.append(f"{wakes(program, waiter.field('waker'))}, to {direction}")
            rows.append([str(slot), sources.describe(program, source), *sides, "; ".join(who)])
        lines += report.table(rows)
    return lines or ["no reactor is alive in this process"]


def side(readiness):
    text = "ready" if readiness.field("ready").number() else "-"
    return text + (", closed" if readiness.field("closed").number() else "")


def wakes(program, waker):
    """A waker, in words: `task 7 «customer 2»`."""
    data, vtable = std.waker(waker)
    if vtable not in program.vtables():
        return "a waker that is not ours"
    task = program.task_of_key(data)
    return task.label if task else f"a task that has ended (key {data:#018x})"


def timers(program):
    """async timers"""
    lines = []
    for one in program.reactors:
        armed = one.timers()
        now = one.now()
        lines.append(f"reactor {one.id}: {count(len(armed), 'timer')}")
        for deadline, _, waker in armed:
            if now is None:
                left = ""
            else:
                left = (
                    f"in {seconds(deadline - now)}: "
                    if deadline > now
                    else f"due since {seconds(now - deadline)}: "
                )
            lines.append(f"  {left}wakes {wakes(program, waker)}")
    return lines or ["no reactor is alive in this process"]


TAKE_ID = ("bt", "why", "wakers", "step-wake", "break-poll", "watch")

COMMANDS = {
    "tasks": tasks,
    "bt": bt,
    "why": why,
    "wakers": wakers_of,
    "queue": queue,
    "reactor": reactor,
    "timers": timers,
}
