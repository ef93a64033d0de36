"""Every parked coroutine as a thread of lldb, with frames and variables. (An OS plug-in.)

The body of an async fn, compiled without optimisation, keeps the address of its coroutine in one
place of its frame, and finds all variables that live across an `.await` through it. So what its
stack would look like is easily written down: for each async fn of the logical stack a frame, with
that address in its place, and the address of the line where it stands to return to. Everything else
lldb does as for any thread. The room for it is set aside in debug builds: executor/src/scratch.rs.

Nothing of the program is run or changed. It works on a live process, on x86-64.
"""

import os
import struct
import sys

import lldb

HERE = os.path.dirname(os.path.realpath(__file__))
if HERE not in sys.path:
    sys.path.insert(0, HERE)

from asyncdbg import Trouble, futures, runtime  # noqa: E402
from asyncdbg.prologue import size_of_frame, slots_of  # noqa: E402
from for_lldb import FIRST_COROUTINE, World  # noqa: E402

SCRATCH = ("executor", "scratch", "SCRATCH")
SIZE = 1 << 20
MOST = 400  # threads: more of them only make the list unreadable
POISON = b"\xa5"  # what is no longer alive looks like it

# (name, number in DWARF, what it is)
REGISTERS = [
    ("rax", 0, None), ("rbx", 3, None), ("rcx", 2, "arg4"), ("rdx", 1, "arg3"), ("rdi", 5, "arg1"),
    ("rsi", 4, "arg2"), ("rbp", 6, "fp"), ("rsp", 7, "sp"), ("r8", 8, "arg5"), ("r9", 9, "arg6"),
    ("r10", 10, None), ("r11", 11, None), ("r12", 12, None), ("r13", 13, None), ("r14", 14, None),
    ("r15", 15, None), ("rip", 16, "pc"), ("rflags", 49, "flags"),
]
PLACES = {}  # (start of a function, line): address; the search is slow
ORDER = [name for name, _, _ in REGISTERS]


class OperatingSystemPlugIn:
    """What lldb asks."""

    def __init__(self, process):
        self.process = process if isinstance(process, lldb.SBProcess) else None
        self.threads, self.registers, self.at_stop = [], {}, None

    def get_thread_info(self):
        stop = self.process.GetStopID() if self.process else None
        if stop != self.at_stop:
            self.at_stop = stop
            try:
                self.threads, self.registers = Forge(self.process).all()
            except Exception:  # it is asked at each stop, also before main: no threads then
                self.threads, self.registers = [], {}
        return self.threads

    def get_register_info(self):
        registers = []
        for place, (name, number, what) in enumerate(REGISTERS):
            one = {"name": name, "bitsize": 64, "offset": 8 * place, "encoding": "uint", "format": "hex"}
            one.update({"set": 0, "gcc": number, "dwarf": number})
            if what:
                one["generic"] = what
            registers.append(one)
        return {"sets": ["General Purpose Registers"], "registers": registers}

    def get_register_data(self, tid):
        return self.registers.get(tid)

    def create_thread(self, tid, context):
        return next((thread for thread in self.threads if thread["tid"] == tid), None)


class Forge:
    """Writes the stacks."""

    def __init__(self, process):
        self.process, self.target = process, process.GetTarget()
        self.program = runtime.Program(World(self.target.GetDebugger(), self.target))
        found = self.program.symbols(SCRATCH)
        if not found or not self.program.world.pid:
            raise Trouble("there is no room for the stacks")
        self.start, self.free = found[0], found[0] + SIZE

    def all(self):
        threads, registers = [], {}
        for task in sorted(self.program.tasks(), key=lambda task: (task.executor.id, task.id)):
            if task.state not in ("parked", "ready"):
                continue
            try:
                paths = list(chains(futures.tree(task), []))
            except Trouble:
                continue
            for label, chain, leaf in paths:
                if len(threads) == MOST:
                    return threads, registers
                try:
                    state = self.stack(chain)
                except Trouble:
                    continue
                if state is None:
                    continue
                tid = FIRST_COROUTINE + len(threads)
                name = f"{task.label}{label}: {leaf}"
                threads.append({"tid": tid, "name": name, "queue": "coroutines", "state": "stopped", "stop_reason": "none"})
                registers[tid] = state
        return threads, registers

    def stack(self, chain):
        """The registers of a thread that stands where the innermost of these coroutines does."""
        frames = [frame for frame in map(self.frame, chain) if frame is not None]
        if not frames:
            return None
        total = sum(size for _, size, _, _ in frames)
        base = (self.free - total - 64) & ~0xF
        if base < self.start:
            raise Trouble("there is no more room for stacks")
        data, sp = bytearray(POISON * (self.free - base)), 0
        # The innermost frame lies lowest. Above each one is the address to which it returns.
        returns = [pc for pc, _, _, _ in frames[:-1]]
        for _, size, slots, env in reversed(frames):
            for slot in slots:
                struct.pack_into("<Q", data, sp + slot, env)
            struct.pack_into("<Q", data, sp + size - 8, returns.pop() if returns else 0)
            sp += size
        struct.pack_into("<QQ", data, sp, 0, 0)
        error = lldb.SBError()
        self.process.WriteMemory(base, bytes(data), error)
        if error.Fail():
            raise Trouble("the stacks cannot be written")
        self.free = base
        values = dict.fromkeys(ORDER, 0)
        values["rip"], values["rsp"] = frames[-1][0], base
        return struct.pack(f"<{len(ORDER)}Q", *(values[name] for name in ORDER))

    def frame(self, node):
        """(where it stands, size of the frame with the return address, places of the env in it, env)."""
        start = self.program.shapes.body_of_coroutine(node.value.shape)
        if start is None:
            return None
        argument = self.program.shapes.place_of_argument(start)
        start += self.program.bias
        try:
            size, slots = size_of_frame(self.program.memory, start), slots_of(self.program.memory, start, argument)
        except Trouble:
            return None
        _, _, _, line = node.value.variant()
        pc = self.place(start, line)
        return (pc, size, slots, node.value.address) if pc else None

    def place(self, start, line):
        """An address of the code for this line in the function, as deep in its scopes as there is."""
        if (start, line) not in PLACES:
            PLACES[start, line] = self._place(start, line)
        return PLACES[start, line]

    def _place(self, start, line):
        address = self.target.ResolveLoadAddress(start)
        function, unit = address.GetFunction(), address.GetCompileUnit()
        if not function.IsValid():
            return None
        end = function.GetEndAddress().GetLoadAddress(self.target)
        best = None
        for n in range(unit.GetNumLineEntries()):
            entry = unit.GetLineEntryAtIndex(n)
            if entry.GetLine() != line:
                continue
            at = entry.GetStartAddress()
            load = at.GetLoadAddress(self.target)
            if not start < load < end:
                continue
            depth, block = 0, at.GetBlock()
            while block.IsValid() and not block.IsInlined():
                depth, block = depth + 1, block.GetParent()
            # A return address belongs to the instruction before it.
            if best is None or depth > best[0]:
                best = depth, load + 1
        return best[1] if best else None


def chains(node, above, label=""):
    """[(label, coroutines from the outside in, what the innermost waits for)]: one for each leaf."""
    if node is None:
        return
    above = above + [node] if node.coroutine else above
    if node.waits is not None and not node.branches:
        if above:
            yield label, above, node.waits
        return
    several = len(node.branches) > 1
    for name, branch in node.branches:
        yield from chains(branch, above, f"{label}, {name or 'future'}" if several else label)
