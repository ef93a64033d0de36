"""The commands of asyncdbg in gdb, 12 and newer.

cargo dbg -p demo --example parked        starts gdb with them, from anywhere in the workspace
(gdb) source executor/debugger/for_gdb.py  in a gdb that runs already
(gdb) help async
"""

import os
import sys
import time

import gdb

HERE = os.path.dirname(os.path.realpath(__file__))
if HERE not in sys.path:
    sys.path.insert(0, HERE)

import gdb_steps  # noqa: E402
from asyncdbg import Trouble, commands, linux, ours, runtime, steps  # noqa: E402


class World:
    """The process or the core file that gdb looks at."""

    def __init__(self):
        inferior = gdb.selected_inferior()
        if not inferior.pid:
            raise Trouble("the program does not run: `start` stops it in main, `run` lets it go")
        self.path = gdb.current_progspace().filename
        if self.path is None:
            raise Trouble("gdb does not know which program this is: `file PATH`")
        kind = getattr(getattr(inferior, "connection", None), "type", "native")
        self.pid = inferior.pid if kind == "native" else None
        self.is_core = kind == "core"
        self._read = inferior.read_memory
        self.phdr = self._phdr()

    def read(self, address, length):
        return self._read(address, length).tobytes()

    def _phdr(self):
        for line in gdb.execute("info auxv", to_string=True).splitlines():
            if "AT_PHDR" in line:
                return int(line.split()[-1], 16)
        raise Trouble("gdb does not know where the program lies in memory")

    def now(self):
        return time.clock_gettime_ns(time.CLOCK_MONOTONIC) if self.pid else None

    def regions(self):
        if self.pid:
            return linux.regions(self.pid)
        found = []
        for line in gdb.execute("info files", to_string=True).splitlines():
            words = line.split()
            if len(words) >= 5 and words[1] == "-" and words[4].startswith("load"):
                found.append((int(words[0], 16), int(words[2], 16), "the core file"))
        return found

    def stacks(self):
        selected, found = gdb.selected_thread(), []
        try:
            for thread in gdb.selected_inferior().threads():
                thread.switch()
                sp = int(gdb.newest_frame().read_register("sp")) & (1 << 64) - 1  # in any language
                found.append((thread.ptid[1] or thread.num, sp))
        finally:
            if selected is not None:
                selected.switch()
        return found

    def stack(self):
        frames, frame = [], gdb.newest_frame()
        while frame is not None and len(frames) < 200:
            frames.append(gdb_steps.Frame(frame))
            frame = frame.older()
        return steps.stack(frames)


def program():
    return runtime.Program(World())


class Async(gdb.Command):
    __doc__ = "What is known of coroutines.\n\n" + commands.HELP.replace(
        "async help", steps.HELP + "async help"
    )

    def __init__(self):
        super().__init__("async", gdb.COMMAND_DATA, gdb.COMPLETE_NONE)

    def invoke(self, argument, from_tty):
        self.dont_repeat()
        words = gdb.string_to_argv(argument) or ["help"]
        if words == ["help"]:
            text, failed = self.__doc__ + "\n", False
        elif words[0] in steps.COMMANDS:
            text, failed = self._step(words)
        else:
            text, failed = commands.run(program, words)
        if failed:
            raise gdb.GdbError(plain(text.rstrip()))
        gdb.write(plain(text))

    def _step(self, words):
        driver = None

        def command(_, *arguments):
            return [steps.COMMANDS[words[0]](driver, *arguments)]

        try:
            steps.check(World(), words[0])
            driver = gdb_steps.Driver(World)
            text, failed = commands.guarded(words[0], lambda: command(None, *commands.one_id(words[0], words[1:])))
        except Trouble as trouble:
            text, failed = f"{trouble}\n", True
        finally:
            if driver is not None:
                driver.close()
        return text, failed

    def complete(self, text, word):
        names = sorted([*commands.COMMANDS, *steps.COMMANDS, "help"])
        return [name for name in names if name.startswith(text)] if " " not in text else []


def plain(text):
    """gdb writes in the terminal's encoding, and fails if a name does not fit into it."""
    try:
        text.encode(gdb.host_charset() if hasattr(gdb, "host_charset") else sys.stdout.encoding or "ascii")
        return text
    except (UnicodeEncodeError, LookupError):
        return text.replace("«", '"').replace("»", '"').encode("ascii", "replace").decode("ascii")


def printer(value):
    """gdb asks this for each value that it prints."""
    kind = value.type.strip_typedefs()
    if not kind.name or kind.name.split("<", 1)[0] not in ours.WORDS or value.address is None:
        return None
    try:
        text = ours.of(program(), kind.name, int(value.address))
    except Trouble:
        return None
    return Words(text) if text is not None else None


class Words:
    def __init__(self, text):
        self._text = text

    def to_string(self):
        return plain(self._text)


printer.name = "async"
gdb.pretty_printers[:] = [one for one in gdb.pretty_printers if getattr(one, "name", "") != "async"] + [
    printer
]


class WithoutPlumbing:
    """`bt` shows our frames; `bt -no-filters` shows those of core and std in between, too."""

    name, priority, enabled = "async", 100, True

    def filter(self, frames):
        for frame in frames:
            inferior = frame.inferior_frame()
            if inferior.level() == 0 or not steps.PLUMBING.search(inferior.name() or ""):
                yield frame


if "async" not in gdb.frame_filters:  # it may be loaded twice: by `start`, and by embedded.py
    gdb.execute("skip -gfi /rustc/*", to_string=True)
    gdb.execute("skip -rfu ^<?(core|alloc|std)::", to_string=True)
gdb.frame_filters["async"] = WithoutPlumbing()
Async()
