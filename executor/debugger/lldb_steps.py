"""Steps in lldb: what asyncdbg/steps.py asks of a debugger."""

import contextlib
import re
import time

import lldb

from asyncdbg import Trouble, runtime, steps

STARTED = time.monotonic()
TOLD = {}  # breakpoint: (argument, what to do when it is hit with that argument)


class Frame:
    """A frame of the stack, as steps.py wants it."""

    def __init__(self, program, frame):
        target = frame.GetThread().GetProcess().GetTarget()
        function = frame.GetFunction()
        start = function.GetStartAddress() if function.IsValid() else frame.GetSymbol().GetStartAddress()
        self.start = start.GetLoadAddress(target) if start.IsValid() else 0
        self.sp, self.pc = frame.GetSP(), frame.GetPC()
        self.line = frame.GetLineEntry().GetLine()
        file = frame.GetLineEntry().GetFileSpec()
        self.file = program.shapes.dwarf.inside(file.fullpath) if file.IsValid() else None
        self.name = plain_name(program, frame.GetFunctionName() or "", self.start)


def plain_name(program, name, start):
    """lldb calls the body of an async fn a closure; the debug information knows better, and has the
    names that gdb has."""
    name = re.sub(r"::h[0-9a-f]{16}$", "", name)
    if ("closure" in name or "$" in name or name.startswith("<")) and not steps.PLUMBING.search(name):
        return program.shapes.name_of_function(start - program.bias) or name
    return name


class Driver:
    """lldb. It must be in synchronous mode: see for_lldb.py."""

    def __init__(self, world, result):
        self.world, self.result = world, result
        self.process, self._panic = world().process, None

    def close(self):
        if self._panic is not None:
            self.process.GetTarget().BreakpointDelete(self._panic.GetID())

    def program(self):
        return runtime.Program(self.world())

    def memory(self):
        return self.program().memory

    def _thread(self):
        return self.process.GetSelectedThread()

    def frames(self, most):
        program, thread = self.program(), self._thread()
        return [Frame(program, thread.GetFrameAtIndex(n)) for n in range(min(most, thread.GetNumFrames()))]

    def _reason(self):
        if self.process.GetState() != lldb.eStateStopped:
            return "exited"
        stopped = self._thread().GetStopReason()
        if stopped == lldb.eStopReasonBreakpoint:
            return "breakpoint"
        return "step" if stopped in (lldb.eStopReasonPlanComplete, lldb.eStopReasonTrace) else "signal"

    def _step(self, step):
        """A step. It stops at a panic, where it would run away otherwise."""
        if self._panic is None:
            self._panic = self.process.GetTarget().BreakpointCreateByName(steps.PANIC)
        self._panic.SetEnabled(True)
        try:
            step()
            return "panic" if self.at_panic() else self._reason()
        finally:
            self._panic.SetEnabled(False)

    def at_panic(self):
        stopped = self.process.GetState() == lldb.eStateStopped
        return stopped and steps.is_panic(self._thread().GetFrameAtIndex(0).GetFunctionName())

    def over(self):
        return self._step(self._thread().StepOver)

    def step(self):
        return self._step(self._thread().StepInto)

    def out(self, depth):
        thread = self._thread()
        return self._step(lambda: thread.StepOutOfFrame(thread.GetFrameAtIndex(depth)))

    def run_to(self, address, argument):
        return self.run_to_any([address], argument)

    def run_to_any(self, addresses, argument):
        target = self.process.GetTarget()
        marks = [target.BreakpointCreateByAddress(address) for address in addresses]
        numbers = [mark.GetID() for mark in marks]
        try:
            while True:
                self.process.Continue()
                reason = self._reason()
                if reason != "breakpoint":
                    return reason
                thread = next((t for t in self.process if t.GetStopReason() == lldb.eStopReasonBreakpoint), self._thread())
                self.process.SetSelectedThread(thread)
                hit = {thread.GetStopReasonDataAtIndex(n) for n in range(0, thread.GetStopReasonDataCount(), 2)}
                if not hit & set(numbers):
                    return "breakpoint"
                if argument in first_arguments(thread.GetFrameAtIndex(0)):
                    return "here"
        finally:
            for number in numbers:
                target.BreakpointDelete(number)

    @contextlib.contextmanager
    def without_breakpoints(self):
        target = self.process.GetTarget()
        quiet = [one for one in target.breakpoint_iter() if one.IsEnabled()]
        try:
            for one in quiet:
                one.SetEnabled(False)
            yield
        finally:
            for one in quiet:
                one.SetEnabled(True)

    def again(self, name, arrived):
        """The run from its beginning. At each call of the function, `arrived(number)` says whether to
        stop. None if there is no such function.
        """
        target = self.process.GetTarget()
        # A method may be named after the module that has the `impl`, and not after its type.
        crate, last = name.split("::")[0], name.split("::")[-1]
        mark = target.BreakpointCreateByRegex(rf"^<?{crate}::.*::{last}(::h[0-9a-f]+)?$")
        try:
            if mark.GetNumLocations() == 0:
                return None
            self.process.Kill()
            error = lldb.SBError()
            self.process = target.Launch(target.GetLaunchInfo(), error)
            if error.Fail():
                raise Trouble(f"the program does not start again: {error.GetCString()}")
            number = 1
            while self._reason() == "breakpoint" and not arrived(number):
                number += 1
                self.process.Continue()
            return self._reason()
        finally:
            target.BreakpointDelete(mark.GetID())

    def stop_at(self, address, argument):
        return self._mark(address, argument, None)

    def tell_at(self, address, argument, tell):
        self._mark(address, argument, tell)

    def _mark(self, address, argument, tell):
        mark = self.process.GetTarget().BreakpointCreateByAddress(address)
        TOLD[mark.GetID()] = argument, tell
        mark.SetScriptCallbackFunction("for_lldb.hit")
        return mark.GetID()

    def thread(self):
        thread = self._thread()
        return f"thread {thread.GetIndexID()} ({thread.GetName()})"

    def seconds(self):
        return f"{time.monotonic() - STARTED:.3f}s"

    def say(self, text):
        # Not into the result of the command: a breakpoint tells when there is none.
        print(text, flush=True)

    def where(self):
        if self.process.GetState() != lldb.eStateStopped:
            return "the program has ended"
        thread = self._thread()
        thread.SetSelectedFrame(0)
        stream = lldb.SBStream()
        thread.GetFrameAtIndex(0).GetDescription(stream)
        return stream.GetData().rstrip()


def first_arguments(frame):
    """Two of them: the first one may be the place for a large result."""
    for registers in (("rdi", "rsi"), ("x0",)):
        values = [frame.FindRegister(register) for register in registers]
        if values[0].IsValid():
            return [value.GetValueAsUnsigned() for value in values]
    raise Trouble("the first argument of a function is not where it is looked for on this machine")


def hit(frame, location):
    """A breakpoint of `watch` or `break-poll`: whether to stop."""
    argument, tell = TOLD.get(location.GetBreakpoint().GetID(), (None, None))
    if argument is None or argument not in first_arguments(frame):
        return False
    if tell is None:
        return True
    try:
        tell()
    except Trouble:
        pass
    return False
