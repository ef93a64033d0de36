"""`async next` and its like: steps that stay with one coroutine.

An ordinary `next` over an `.await` that has to wait runs away: the coroutine returns `Pending`, and
the debugger follows the thread into the executor. But the coroutine is a value that never moves, so
its address tells *this* call of an async fn from all others. So: step; and if it has been left,
let everything run until its body is entered again with that same address.

A `driver` is what a debugger can do: for_gdb.py and for_lldb.py have one each.
"""

import re
import struct

from . import Trouble, report, travel
from .names import function
from .prologue import slots_of
from .values import Value

BODY = re.compile(r"\{async_(fn|block|closure|closure_body)#\d+\}(<.*>)?$")
PLUMBING = re.compile(r"^(<|_\$LT\$|&dyn |&)*(core|alloc|std)(::|\.\.)|^_*rust_|^_start|^main$|^__libc_start")
PANIC = "rust_panic"  # the last function of std before it unwinds or aborts
MOST_STEPS = 200

HELP = """\
async next             the next line of *this* async fn, across its suspensions
async into             into the async fn that is awaited here
async out              until this async fn has returned, whatever it has to wait for
async step-wake ID     on, until somebody wakes the task; then the stack of whoever does
async break-poll ID    a breakpoint: stop whenever the task is polled
async watch ID         tell of each poll and each wake of the task, without stopping
""" + travel.HELP


def check(world, name):
    """Before a step."""
    if world.is_core:
        raise Trouble(f"a core file does not run: `async {name}` needs a process; the commands that only read work here, too")


class Here:
    """A call of an async fn that is on the stack."""

    def __init__(self, driver, frame):
        self.driver, self.name, self.start = driver, frame.name, frame.start
        program = driver.program()
        self.argument = program.shapes.place_of_argument(frame.start - program.bias)
        self.env = self.env_of(frame)
        self.title = function(self.name, program.shapes.of_coroutine_body(frame.start - program.bias))
        self.line, self.file = frame.line, frame.file

    def is_at(self, frame):
        return frame.start == self.start and self.env_of(frame) == self.env

    def env_of(self, frame):
        memory = self.driver.memory()
        return memory.number(frame.sp + slots_of(memory, frame.start, self.argument)[0], 8)

    def has_moved(self, frame):
        """Whether it is at another line. (Line 0 is code that belongs to no line.)"""
        return frame.file == self.file and frame.line not in (0, self.line)

    def shape(self, program):
        shape = program.shapes.of_coroutine_body(self.start - program.bias)
        if shape is None:
            raise Trouble(f"nothing is known of the coroutine {self.title}")
        return shape

    def state(self):
        """(`Suspend2`, file, line): as it stands in memory, which is right once it has been left."""
        program = self.driver.program()
        name, _, file, line = Value(program.memory, self.shape(program), self.env).variant()
        return name, file, line

    def ends(self):
        """The functions that drop it."""
        program = self.driver.program()
        return [address + program.bias for address in program.shapes.drops_of(self.shape(program))]


def here(driver):
    """The innermost async fn on the stack, and how many frames of others are below it."""
    if driver.at_panic():
        raise Trouble("this is a panic, and no async fn on the stack will go on: `continue` lets it unwind")
    for depth, frame in enumerate(driver.frames(200)):
        if frame.name and BODY.search(frame.name):
            return Here(driver, frame), depth
    raise Trouble("no async fn is on the stack of this thread: break in one, or see `async tasks`")


def enter(driver):
    """From the first instruction of an async fn, where a breakpoint on its poll stops, to the line where
    it begins or goes on. Only then has it stored what it was called with. Whether it was there.
    """
    frame = driver.frames(1)[0]
    if frame.pc != frame.start or not BODY.search(frame.name or ""):
        return False
    driver.over()
    return True


def is_panic(name):
    """Whether this is that function. Its path and the hash behind it differ between versions."""
    return re.search(rf"\b{PANIC}(::h[0-9a-f]+)?$", name or "") is not None


def where(driver):
    """Where a step has ended."""
    if not driver.at_panic():
        return driver.where()
    driver.say(f"a panic, on {driver.thread()}, in")
    for line in stack(driver.frames(60)):
        driver.say(line)
    return ""


def next_line(driver):
    """async next"""
    if enter(driver):
        return where(driver)
    this, depth = here(driver)
    while depth > 0:  # inside a function that it has called: that one first
        if driver.out(0) != "step":
            return where(driver)
        depth -= 1
        if not any(this.is_at(frame) for frame in driver.frames(depth + 1)):
            break
    return go_on(driver, this, driver.over)


def go_on(driver, this, step):
    for _ in range(MOST_STEPS):
        if step() != "step":
            return where(driver)
        frame = driver.frames(1)[0]
        if this.is_at(frame):
            if this.has_moved(frame):
                return where(driver)
            continue
        done = left(driver, this)
        if done is not None:
            return done
    return where(driver)


def left(driver, this):
    """It has returned to whoever polled it. If it is suspended, wait until it is resumed: None."""
    state, file, line = this.state()
    if not state.startswith("Suspend"):
        driver.say(f"{this.title} has returned")
        return to_parent(driver)
    driver.say(f"{this.title} is suspended at {file}:{line}; on, until it is resumed")
    if driver.run_to_any([this.start, *this.ends()], this.env) != "here":
        return where(driver)
    if driver.frames(1)[0].start != this.start:
        driver.say(f"{this.title} is dropped where it was suspended: it will never go on")
        for line in stack(driver.frames(60)):
            driver.say(line)
        return ""
    running = [task for task in driver.program().tasks() if task.state == "running"]
    for task in running[:1]:
        driver.say(f"resumed: {task.label}, poll {task.polls}, woken by {report.woken_by(task)}")
    driver.over()  # from the head of the function to the await
    return None


def to_parent(driver):
    """Up, to the async fn that has awaited the one that has returned."""
    for _ in range(40):
        frame = driver.frames(1)[0]
        if frame.name and BODY.search(frame.name):
            return where(driver)
        if not any(other.name and BODY.search(other.name) for other in driver.frames(60)):
            driver.say("it was the outermost one: its task has ended")
            return where(driver)
        if driver.out(0) != "step":
            return where(driver)
    return where(driver)


def out(driver):
    """async out"""
    enter(driver)
    this, depth = here(driver)
    for _ in range(MOST_STEPS):
        if driver.out(depth) != "step":
            return where(driver)
        done = left(driver, this)
        if done is not None:
            return done
        depth = 0
        if not this.is_at(driver.frames(1)[0]):
            return where(driver)
    return where(driver)


def into(driver):
    """async into"""
    enter(driver)
    this, depth = here(driver)
    if depth > 0:
        raise Trouble("this is inside a function that the async fn has called: `finish` first")
    for _ in range(MOST_STEPS):
        if driver.step() != "step":
            return where(driver)
        frame = driver.frames(1)[0]
        name = frame.name or ""
        if this.is_at(frame):
            if this.has_moved(frame):
                return where(driver)
            continue
        if BODY.search(name) or re.match(r"<?(executor|reactor)::.*::poll\b", name):
            return where(driver)
        if not any(this.is_at(other) for other in driver.frames(60)):
            done = left(driver, this)
            if done is not None:
                return done
    return where(driver)


def stack(frames):
    """The frames of this thread without the plumbing of std."""
    lines, hidden = [], 0
    for number, frame in enumerate(frames):
        name = frame.name or "?"
        if PLUMBING.search(name) or (frame.file or "").startswith("/rustc/"):
            hidden += 1
            continue
        at = f"  at {frame.file}:{frame.line}" if frame.file else ""
        lines.append(f"  #{number}  {name}{at}")
    if hidden:
        lines.append(f"  ({hidden} frames of std are not shown; `bt` has them)")
    return lines


def entries_of_wake(program):
    """Where a wake begins: the functions that the vtables name, with the key as their argument."""
    from .runtime import VTABLES

    found = []
    for path in VTABLES:
        vtable = program.static(path)
        if vtable is None:
            continue
        for name, field in vtable.fields():
            if name in ("wake", "wake_by_ref"):
                address = program.memory.number(field.address, 8)
                if address not in found:
                    found.append(address)
    return found


def entry_of_poll(task):
    """(address, argument): the function that polls this task, and what it is called with."""
    if task.body is not None:
        data, vtable = task.body.wide()
    else:
        at = task.executor.value.field("main").number()
        data, vtable = struct.unpack("<QQ", task.value.memory.bytes(at, 16)) if at else (0, 0)
    if not data or task.state == "ended":
        raise Trouble(f"{task.label} has ended: nobody will poll it again")
    # A vtable begins with drop, size and alignment; `poll` is the first method of both traits.
    return task.value.memory.number(vtable + 24, 8), data


def step_wake(driver, which):
    """async step-wake ID"""
    program = driver.program()
    task = program.find(which)
    key, label = task.key, task.label
    if driver.run_to_any(entries_of_wake(program), key) != "here":
        return driver.where()
    state = executor_of(driver, task).state()
    driver.say(f"{label} is being woken, on {driver.thread()}; its executor: {state}")
    for line in stack(driver.frames(60)):
        driver.say(line)
    return ""


def executor_of(driver, task):
    return next(one for one in driver.program().executors if one.id == task.executor.id)


def break_poll(driver, which):
    """async break-poll ID"""
    task = driver.program().find(which)
    number = driver.stop_at(*entry_of_poll(task))
    return f"breakpoint {number}: whenever {task.label} is polled"


def watch(driver, which):
    """async watch ID"""
    program = driver.program()
    task = program.find(which)
    key, label = task.key, task.label

    def polled():
        now = driver.program().task_of_key(key)
        driver.say(f"[{driver.seconds()}] poll  {label}, its poll {now.polls}; woken by {report.woken_by(now)}" if now else f"poll  {label}")

    def woken():
        executor = executor_of(driver, task)
        by = f"by task {executor.polling}" if executor.polling else "while the executor is parked"
        driver.say(f"[{driver.seconds()}] wake  {label}, {by}, on {driver.thread()}")

    driver.tell_at(*entry_of_poll(task), polled)
    for address in entries_of_wake(program):
        driver.tell_at(address, key, woken)
    return f"{label} is watched: `continue`"


COMMANDS = {
    "next": next_line,
    "into": into,
    "out": out,
    "step-wake": step_wake,
    "break-poll": break_poll,
    "watch": watch,
    **travel.COMMANDS,
}
