"""Steps in gdb: what asyncdbg/steps.py asks of a debugger."""

import contextlib
import time

import gdb

from asyncdbg import Trouble, runtime, steps


class Frame:
    """A frame of the stack, as steps.py wants it."""

    def __init__(self, frame):
        function = frame.function()
        self.name = frame.name()
        self.start = int(function.value().address) & (1 << 64) - 1 if function is not None else 0
        self.sp = int(frame.read_register("sp")) & (1 << 64) - 1
        self.pc = frame.pc()
        place = frame.find_sal()
        self.line = place.line
        self.file = place.symtab.filename if place.symtab else None


def mark(address, argument, **more):
    """A breakpoint on the first instruction of a function, when one of its first arguments is this one."""
    breakpoint = gdb.Breakpoint(f"*{address:#x}", **more)
    first, second = registers()
    breakpoint.condition = f"{first} == {argument} || {second} == {argument}"
    return breakpoint


class Told(gdb.Breakpoint):
    """The same, but it only tells, and goes on. (gdb does not ask for a condition before `stop`.)"""

    def __init__(self, address, argument, tell):
        super().__init__(f"*{address:#x}")
        self.argument, self.tell = argument, tell

    def stop(self):
        if self.argument in [int(gdb.parse_and_eval(one)) & (1 << 64) - 1 for one in registers()]:
            try:
                self.tell()
            except Trouble:
                pass
        return False


class Driver:
    """gdb."""

    def __init__(self, world):
        self.world, self._reason, self._hit = world, None, []
        self._panic = gdb.Breakpoint(steps.PANIC, internal=True)
        self._panic.enabled = False
        gdb.events.stop.connect(self._stopped)
        # Only the last of many steps is of interest; `where` shows it.
        gdb.execute("set suppress-cli-notifications on")

    def close(self):
        if self._panic.is_valid():
            self._panic.delete()
        gdb.execute("set suppress-cli-notifications off")
        gdb.events.stop.disconnect(self._stopped)

    def _stopped(self, event):
        if isinstance(event, gdb.BreakpointEvent):
            self._reason, self._hit = "breakpoint", [one.number for one in event.breakpoints]
        elif isinstance(event, gdb.SignalEvent):
            self._reason = "signal"
        else:
            self._reason = "step"

    def program(self):
        return runtime.Program(self.world())

    def memory(self):
        return self.program().memory

    def frames(self, most):
        found, frame = [], gdb.newest_frame()
        while frame is not None and len(found) < most:
            found.append(Frame(frame))
            frame = frame.older()
        return found

    def _run(self, command):
        self._reason = "exited"
        gdb.execute(command, to_string=True)
        if gdb.selected_thread() is None:
            self._reason = "exited"
        return self._reason

    def _step(self, command):
        """A step. It stops at a panic, where it would run away otherwise."""
        self._panic.enabled = True
        try:
            return "panic" if self._run(command) == "breakpoint" and self.at_panic() else self._reason
        finally:
            if self._panic.is_valid():
                self._panic.enabled = False

    def at_panic(self):
        return gdb.selected_thread() is not None and steps.is_panic(gdb.newest_frame().name())

    def over(self):
        return self._step("next")

    def step(self):
        return self._step("step")

    def out(self, depth):
        frame = gdb.newest_frame()
        for _ in range(depth):
            frame = frame.older()
        if frame.older() is None:
            return "end"
        frame.select()
        if self._step("finish") == "panic":
            return "panic"
        # gdb counts the end of a `finish` as a hit of its own breakpoint.
        return "step" if self._reason != "exited" and self._hit_none() else self._reason

    def _hit_none(self):
        own = [one.number for one in gdb.breakpoints() or []]
        hit, self._hit = [number for number in self._hit if number in own], []
        return self._reason != "signal" and not hit

    def run_to(self, address, argument):
        return self.run_to_any([address], argument)

    def run_to_any(self, addresses, argument):
        marks = [mark(address, argument, internal=True) for address in addresses]
        numbers = [one.number for one in marks]
        try:
            self._hit = []
            reason = self._run("continue")
            return "here" if reason == "breakpoint" and set(self._hit) & set(numbers) else reason
        finally:
            for one in marks:
                if one.is_valid():
                    one.delete()

    @contextlib.contextmanager
    def without_breakpoints(self):
        quiet = [one for one in gdb.breakpoints() or [] if one.enabled]
        try:
            for one in quiet:
                one.enabled = False
            yield
        finally:
            for one in quiet:
                if one.is_valid():
                    one.enabled = True

    def again(self, name, arrived):
        """The run from its beginning. At each call of the function, `arrived(number)` says whether to
        stop. None if there is no such function.
        """
        mark = gdb.Breakpoint(name, internal=True)
        try:
            if mark.pending:
                return None
            gdb.execute("kill", to_string=True)
            number, reason = 1, self._run("run")
            while reason == "breakpoint" and not arrived(number):
                number, reason = number + 1, self._run("continue")
            return reason
        finally:
            mark.delete()

    def stop_at(self, address, argument):
        return mark(address, argument).number

    def tell_at(self, address, argument, tell):
        Told(address, argument, tell)

    def thread(self):
        thread = gdb.selected_thread()
        return f"thread {thread.num} ({thread.name})"

    def seconds(self):
        return f"{time.monotonic() - STARTED:.3f}s"

    def say(self, text):
        from for_gdb import plain

        gdb.write(plain(text) + "\n")

    def where(self):
        if gdb.selected_thread() is None:
            return "the program has ended"
        gdb.newest_frame().select()
        return gdb.execute("frame", to_string=True).rstrip()


STARTED = time.monotonic()


def registers():
    """Of the first two arguments: the first one may be the place for a large result."""
    return ("$x0", "$x0") if "aarch64" in gdb.selected_inferior().architecture().name() else ("$rdi", "$rsi")
