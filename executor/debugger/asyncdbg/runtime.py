"""The executors and reactors of a process, and their tasks.

The way in is two statics: the registry of executors (executor/src/remote.rs) and the list of
reactors (reactor/src/anchor.rs). From there on it is the structures as they are in the source.
"""

import re
import struct

from . import Trouble, std
from .dwarf import Dwarf
from .elf import Elf
from .memory import Memory
from .shapes import Shapes
from .values import Value

REGISTRY = ("executor", "remote", "REGISTRY")
REACTORS = ("reactor", "anchor", "REACTORS")
VTABLES = (("executor", "key", "VTABLE"), ("executor", "counted", "VTABLE"))

# So many are read of one executor: a second's work or two. (`demo goroutines` has a million.)
MOST_TASKS = 2000

_files = {}


class Program:
    """A program that runs, or has died. `world` is the front: how to reach it.

    A world has `path` (of the executable), `read(address, length)`, `phdr` (AT_PHDR: where the
    system has put the program's headers), `pid` (None if it is dead), `now()` (nanoseconds, or
    None), `regions()` (what memory it may write to), `stacks()` (of each thread: number, stack
    pointer).
    """

    def __init__(self, world):
        self.world, self.memory = world, Memory(world.read if world.pid else self._read_core)
        if world.path not in _files:
            elf = Elf(world.path)
            _files[world.path] = elf, Shapes(Dwarf(elf)), {}
        self.elf, self.shapes, self._symbols = _files[world.path]
        self.bias = self.shapes.bias = world.phdr - self.elf.program_headers() if world.phdr else 0
        self._executors = self._reactors = self._by_key = None
        self.shapes.program = self

    def _read_core(self, address, length):
        """The system leaves out of a core file what is as in the program's file. gdb knows, lldb does not."""
        try:
            data = self.world.read(address, length)
        except Exception:
            data = None
        return data if data and len(data) == length else self.elf.loaded(address - self.bias, length)

    def symbols(self, path):
        if path not in self._symbols:
            self._symbols[path] = self.elf.symbols(*path)
        return [address + self.bias for address in self._symbols[path]]

    def static(self, path):
        """A static of ours; None if it is not in this program."""
        for address in self.symbols(path):
            shape = self.shapes.of_static(address - self.bias)
            if shape is None:
                raise Trouble(
                    f"{self.elf.path} has no debug information for `{'::'.join(path)}`: build with "
                    "`debug = 2` (the profiles `dev` and `release-dbg` do)"
                )
            return Value(self.memory, shape, address)
        return None

    @property
    def executors(self):
        if self._executors is None:
            registry = self.static(REGISTRY)
            if registry is None:
                raise Trouble(
                    f"{self.elf.path} has no executor of ours in it, or was stripped of its symbols: is it a "
                    "program with the crate `executor`, built without `strip`?"
                )
            remotes = [std.counted(remote) for _, remote in std.slab(registry)]
            pointers = [remote.field("scheduler") for remote in remotes]
            alive = [pointer for pointer in pointers if pointer.memory.number(pointer.pointer().address, 8)]
            self._executors = [Executor(self, pointer.deref()) for pointer in alive]
        return self._executors

    @property
    def reactors(self):
        if self._reactors is None:
            anchor = self.static(REACTORS)
            found = std.vec(anchor.dig("alloc::vec::Vec<")) if anchor else []
            self._reactors = [Reactor(self, pointer.deref()) for pointer in found]
        return self._reactors

    def reactor(self, number):
        return next((reactor for reactor in self.reactors if reactor.id == number), None)

    def tasks(self):
        return [task for executor in self.executors for task in executor.tasks]

    def vtables(self):
        return [address for path in VTABLES for address in self.symbols(path)]

    def task_of_key(self, key):
        """The task that a waker's number means; None if it has ended."""
        if self._by_key is None:
            self._by_key = {task.key: task for task in self.tasks()}
        if key not in self._by_key:  # perhaps it was not read
            executor = next((executor for executor in self.executors if executor.id == key >> 48), None)
            task = executor and executor.at(key & 0xFFFFFFFF)
            self._by_key[key] = task if task is not None and task.key == key else None
        return self._by_key[key]

    def find(self, name):
        """The task that a person means by `7`, `1.7` (of executor 1), a part of its name, or a label that
        was copied: `task 7 «customer 2»`.
        """
        number = re.fullmatch(r"(?:(\d+)\.)?#?(\d+)", name) or re.match(r"task (?:(\d+)\.)?#?(\d+)(?!\S)", name)
        name = name.strip("«»")
        if number:
            of = [executor for executor in self.executors if number[1] in (None, str(executor.id))]
            found = [task for task in (executor.task(int(number[2])) for executor in of) if task is not None]
        else:
            tasks = self.tasks()
            found = [task for task in tasks if name == task.name] or [
                task for task in tasks if name in task.name
            ]
        if not found:
            more = sum(executor.more for executor in self.executors)
            if more > 0 and not number:
                raise Trouble(f"no task that was read is called {name}; {more} more are found by their number only")
            raise Trouble(f"there is no task {name}; `async tasks` lists those there are")
        if len(found) > 1:
            which = ", ".join(f"{task.executor.id}.{task.id}" for task in found[:5])
            raise Trouble(f"{name} may be any of {which}: say which one")
        return found[0]


class Executor:
    """A scheduler (executor/src/scheduler.rs)."""

    def __init__(self, program, value):
        self.program, self.value = program, value
        self.id = value.field("id").number()
        polling = std.option(value.field("polling").dig("core::option::Option"))
        self.polling = polling and polling.number()
        tasks = self.slab = std.cell(value.field("tasks"))
        self.tasks = [Task(self, slot, task) for slot, task in std.slab(tasks.field("slab"), MOST_TASKS)]
        self.by_id = {task.id: task for task in self.tasks}
        self.more = tasks.field("slab", "len").number() - len(self.tasks)
        ready = tasks.field("ready")
        at = ready.field("at").number()
        self.queue = std.numbers(ready.field("round"))[at:] + std.numbers(ready.field("next"))
        self.places = {key: place for place, key in enumerate(self.queue, 1)}
        self.runs = any(task.body is None for task in self.tasks)
        self.watched = value.field("observer").variant_name() == "Some"
        self._slots = None

    def task(self, number):
        """The task with this id, also if it is not among the first ones; None if it has ended."""
        if number in self.by_id or self.more <= 0:
            return self.by_id.get(number)
        if self._slots is None:
            self._slots = std.slots(self.slab.field("slab"), "id")
        return self.at(self._slots[number]) if number in self._slots else None

    def at(self, slot):
        """The task in this slot of the slab; None if there is none."""
        entry = std.entry(self.slab.field("slab"), slot)
        return None if entry is None else Task(self, slot, entry)

    def state(self):
        if not self.runs:
            return "not inside `block_on`"
        if self.polling is None:
            return "parked"
        return f"polling task {self.polling}"


class Task:
    """An entry of the slab (executor/src/task.rs)."""

    def __init__(self, executor, slot, value):
        self.executor, self.slot, self.value = executor, slot, value
        self.id = value.field("id").number()
        self.key = executor.id << 48 | (self.id & 0xFFFF) << 32 | slot
        self.name = self._name()
        self.polls = value.field("polls").number()
        self.woken_by = value.field("woken_by").variant_name()
        woken_by_task = std.option(value.field("woken_by_task"))
        self.woken_by_task = woken_by_task and woken_by_task.number()
        self.body = std.option(value.field("body"))
        self.aborted = value.field("aborted").number() != 0

    def _name(self):
        kind, fields, _, _ = self.value.field("name").variant()
        text = std.one_line(std.text(fields.field("__0")))
        return readable(text) if kind == "Type" else text

    @property
    def label(self):
        """`task 7 «customer 2»`"""
        return f"task {self.number} «{self.name}»"

    @property
    def number(self):
        """Its id; with that of its executor, if there are several."""
        several = len(self.executor.program.executors) > 1
        return f"{self.executor.id}.{self.id}" if several else str(self.id)

    @property
    def spawned_at(self):
        return std.location(self.value.field("spawned_at"))

    @property
    def state(self):
        state = self.value.field("state").variant_name()
        if state == "Finished":
            return "ended"
        if self.executor.polling == self.id:
            return "running"
        return "ready" if state == "Ready" else "parked"

    @property
    def place(self):
        """Its place in the ready queue, from 1."""
        return self.executor.places.get(self.key)

    @property
    def wakes(self):
        """Each poll but the first was for a wake. One that is still in the queue counts, too."""
        queued = self.value.field("state").variant_name() == "Ready" and self.woken_by != "Spawn"
        return max(self.polls - 1, 0) + queued

    def future(self):
        """What it runs, as a value; None if it has ended. The main coroutine is not in the slab, but
        in the frame of `block_on`, which tells where.
        """
        if self.body is None:
            at = self.executor.value.field("main").number()
            if at == 0 or self.state == "ended":
                return None
            data, vtable = struct.unpack("<QQ", self.executor.value.memory.bytes(at, 16))
            shape = self.executor.program.shapes.behind_vtable(vtable - self.executor.program.bias)
            if shape is None:
                raise Trouble("nothing is known of the type of the main coroutine")
            return Value(self.value.memory, shape, data)
        kind, fields, _, _ = self.body.deref().variant()
        return fields.field("__0") if kind == "Future" else None


class Reactor:
    """executor and reactor do not know each other; a coroutine knows both (reactor/src/reactor.rs)."""

    def __init__(self, program, value):
        self.program, self.value, self.id = program, value, value.field("id").number()

    def now(self):
        """On the clock that its timers go by: nanoseconds; None in a core file, which has no clock."""
        stands_at = std.option(self.value.field("clock").dig("core::option::Option"))
        return self.program.world.now() if stands_at is None else std.duration(stands_at)

    def is_virtual(self):
        return std.option(self.value.field("clock").dig("core::option::Option")) is not None

    def sources(self):
        """[(slot, source)]"""
        return std.slab(std.cell(self.value.field("sources")))

    def timers(self):
        """[(deadline, slot, waker)], the earliest first."""
        timers = std.cell(self.value.field("timers"))
        armed = dict(std.slab(timers.field("armed")))
        found = []
        for entry in std.heap(timers.field("heap")):
            entry = entry.field("__0")
            key = entry.field("key")
            timer = armed.get(key.field("slot").number())
            if timer is not None and timer.field("serial").number() == key.field("serial").number():
                found.append(
                    (std.duration(entry.field("deadline")), key.field("slot").number(), timer.field("waker"))
                )
        return sorted(found, key=lambda timer: timer[:2])

    def is_armed(self, key):
        """Whether the timer with this key is not over yet."""
        timer = std.entry(std.cell(self.value.field("timers")).field("armed"), key.field("slot").number())
        return timer is not None and timer.field("serial").number() == key.field("serial").number()

    def open_jobs(self):
        """How many blocking jobs run or are in line."""
        return std.counted(self.value.field("pool", "open")).number()


def readable(name):
    """As `readable` in executor/src/task.rs."""
    name = name.replace("::{{closure}}", "")
    return re.sub(r"(?:\w*::)+(\w+)", r"\1", name)
