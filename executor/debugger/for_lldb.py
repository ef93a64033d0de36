"""The commands of asyncdbg in lldb, 14 and newer.

cargo lldb -p demo --example parked                          starts lldb with them
(lldb) command script import executor/debugger/for_lldb.py   in an lldb that runs already
(lldb) async help
"""

import os
import shlex
import sys
import time

import lldb

HERE = os.path.dirname(os.path.realpath(__file__))
if HERE not in sys.path:
    sys.path.insert(0, HERE)

import lldb_steps  # noqa: E402
from asyncdbg import Trouble, commands, linux, ours, runtime, steps  # noqa: E402

# The numbers of threads that are coroutines: see lldb_threads.py.
FIRST_COROUTINE = 1 << 40
# What lldb_threads.py writes into their frames, where there is no variable.
NOT_KEPT = b"\xa5" * 8


class World:
    """The process or the core file that lldb looks at."""

    def __init__(self, debugger, target=None):
        self.target = target or debugger.GetSelectedTarget()
        self.process = self.target.GetProcess()
        state = (
            self.process.GetState() if target is None else lldb.eStateStopped
        )  # a plug-in is asked at a stop only
        if not self.process.IsValid() or state in (lldb.eStateExited, lldb.eStateInvalid):
            raise Trouble("the program does not run: `run` lets it go")
        if state == lldb.eStateRunning:
            raise Trouble("the program runs: `process interrupt` stops it")
        self.path = self.target.GetExecutable().fullpath
        self.is_core = "core" in self.process.GetPluginName().lower() or self.process.GetProcessID() == 0
        self.pid = None if self.is_core else self.process.GetProcessID()
        self.phdr = self._phdr()

    def read(self, address, length):
        error = lldb.SBError()
        data = self.process.ReadMemory(address, length, error)
        return data if error.Success() else None

    def _phdr(self):
        if self.pid:
            return linux.phdr(self.pid)
        header = self.target.GetModuleAtIndex(0).GetObjectFileHeaderAddress().GetLoadAddress(self.target)
        with open(self.path, "rb") as file:
            return header + int.from_bytes(file.read(40)[32:40], "little")

    def now(self):
        return time.clock_gettime_ns(time.CLOCK_MONOTONIC) if self.pid else None

    def regions(self):
        if self.pid:
            return linux.regions(self.pid)
        found, every = [], self.process.GetMemoryRegions()
        region = lldb.SBMemoryRegionInfo()
        for n in range(every.GetSize()):
            if every.GetMemoryRegionAtIndex(n, region) and region.IsWritable():
                found.append((region.GetRegionBase(), region.GetRegionEnd(), "the core file"))
        return found

    def stacks(self):
        real = [thread for thread in self.process if thread.GetThreadID() < FIRST_COROUTINE]
        return [(thread.GetThreadID(), thread.GetFrameAtIndex(0).GetSP()) for thread in real]

    def stack(self):
        program, thread = runtime.Program(self), self.process.GetSelectedThread()
        frames = [thread.GetFrameAtIndex(n) for n in range(min(thread.GetNumFrames(), 200))]
        return steps.stack([lldb_steps.Frame(program, frame) for frame in frames])


def program(debugger):
    return runtime.Program(World(debugger))


HELP = "What is known of coroutines.\n\n" + commands.HELP.replace(
    "async help",
    steps.HELP + "async threads          every parked coroutine as a thread, after an attach\nasync help",
)


def async_command(debugger, command, result, internal_dict):
    try:
        words = shlex.split(command) or ["help"]
    except ValueError:
        result.SetError("a quotation mark has no partner")
        return
    if words == ["help"]:
        text, failed = HELP, False
    elif words == ["threads"]:
        text, failed = commands.guarded("threads", lambda: threads(debugger))
    elif words[0] in steps.COMMANDS:
        text, failed = step(debugger, words, result)
    else:
        text, failed = commands.run(lambda: program(debugger), words)
    if failed:
        result.SetError(text.rstrip())
    else:
        result.AppendMessage(text.rstrip("\n"))


async_command.__doc__ = HELP


def threads(debugger):
    """lldb asks the plug-in at each stop, but not when it has just attached: then we make it ask."""
    process = World(debugger).process
    debugger.HandleCommand(f"settings set target.process.python-os-plugin-path {HERE}/lldb_threads.py")
    number = sum(thread.GetThreadID() >= FIRST_COROUTINE for thread in process)
    if number == 0:
        raise Trouble(
            "no coroutine can be shown as a thread: that needs a live process and an unoptimised build, on x86-64"
        )
    return [f"{number} of the threads are parked coroutines: `thread list`, `thread select N`, `bt`"]


def step(debugger, words, result):
    was = debugger.GetAsync()
    debugger.SetAsync(False)  # a step returns when it has been made

    def command():
        steps.check(World(debugger), words[0])
        driver = lldb_steps.Driver(lambda: World(debugger), result)
        try:
            return [steps.COMMANDS[words[0]](driver, *commands.one_id(words[0], words[1:]))]
        finally:
            driver.close()

    try:
        return commands.guarded(words[0], command)
    finally:
        debugger.SetAsync(was)


def summary(value, internal_dict, options=None):
    """lldb asks this for each value of one of our types."""
    value = value.GetNonSyntheticValue()
    kind = value.GetType()
    if kind.IsPointerType() or kind.IsReferenceType():  # of a `&Sleep` it says what it says of the Sleep
        kind, address = kind.GetPointeeType(), value.GetValueAsUnsigned()
    else:
        address = value.GetLoadAddress()
    try:
        world = World(value.GetTarget().GetDebugger())
        if address.to_bytes(8, "little") == NOT_KEPT or (address and world.read(address, 8) == NOT_KEPT):
            return "not kept across this .await"
        text = ours.of(runtime.Program(world), kind.GetUnqualifiedType().GetName(), address)
    except Trouble:
        text = None
    return text if text is not None else ""


def hit(frame, location, *_):
    """lldb finds the function of a breakpoint by this name."""
    return lldb_steps.hit(frame, location)


def __lldb_init_module(debugger, internal_dict):
    debugger.HandleCommand(f"command script add -o -f {__name__}.async_command async")
    for name in [*ours.WORDS, "core::task::wake::Context"]:
        debugger.HandleCommand(f'type summary add -w async -F {__name__}.summary -x "^{name}(<.+>)?$"')
    debugger.HandleCommand("type category enable async")
    # Every parked coroutine is a thread. Does nothing where that is not possible.
    debugger.HandleCommand(f"settings set target.process.python-os-plugin-path {HERE}/lldb_threads.py")
    # `step` at an `.await` goes into what is awaited, and not into the plumbing of std.
    debugger.HandleCommand("settings set target.process.thread.step-avoid-regexp ^<?(core|alloc|std)::")
