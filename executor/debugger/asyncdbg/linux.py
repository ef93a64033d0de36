"""What Linux tells of a process, under /proc."""

import os
import socket
import struct
import time

from . import Trouble


class Live:
    """A process that runs, read from outside."""

    def __init__(self, pid):
        self.pid = pid
        try:
            self._memory = os.open(f"/proc/{pid}/mem", os.O_RDONLY)
            self.path = f"/proc/{pid}/exe"
            os.stat(self.path)
        except (FileNotFoundError, ProcessLookupError):
            raise Trouble(f"there is no process {pid} (any more)") from None
        except PermissionError:
            raise Trouble(
                f"reading the memory of process {pid} is not allowed: be its owner, and see "
                "/proc/sys/kernel/yama/ptrace_scope (or use sudo)"
            ) from None
        except OSError as error:
            raise Trouble(f"process {pid} cannot be looked at: {error.strerror}") from None
        self.phdr = phdr(pid)

    def read(self, address, length):
        return os.pread(self._memory, length, address)

    def now(self):
        return time.clock_gettime_ns(time.CLOCK_MONOTONIC)

    def regions(self):
        return regions(self.pid)

    def stacks(self):
        return stacks(self.pid)

    def stack(self):
        """Only a debugger can unwind."""
        return []


def phdr(pid):
    """AT_PHDR: where the system has put the program's headers."""
    try:
        with open(f"/proc/{pid}/auxv", "rb") as file:
            data = file.read()
    except OSError as error:
        raise Trouble(f"process {pid} cannot be looked at: {error.strerror}") from None
    for kind, value in struct.iter_unpack("<QQ", data):
        if kind == 3:
            return value
    raise Trouble(f"process {pid} has no program headers: has it ended?")


def regions(pid):
    """The memory it may write to: [(start, end, name)]."""
    found = []
    try:
        with open(f"/proc/{pid}/maps") as file:
            for line in file:
                words = line.split(None, 5)
                if words[1].startswith("rw"):
                    start, end = (int(number, 16) for number in words[0].split("-"))
                    found.append((start, end, words[5].strip() if len(words) > 5 else ""))
    except OSError as error:
        raise Trouble(f"the memory map of process {pid} cannot be read: {error.strerror}") from None
    return found


def stacks(pid):
    """Of each thread: (number, stack pointer). Of one that runs right now it is not known."""
    found = []
    for thread in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{thread}/syscall") as file:
                words = file.read().split()
            if len(words) >= 3:
                found.append((int(thread), int(words[-2], 16)))
        except OSError:
            pass
    return found


def ends(pid, fd):
    """The two ends of a socket, in words: `127.0.0.1:80 <- 127.0.0.1:4711`, or nothing."""
    try:
        link = os.readlink(f"/proc/{pid}/fd/{fd}")
    except OSError:
        return ""
    if not link.startswith("socket:["):
        return link if "/" in link or ":" in link else ""
    inode = link[8:-1]
    if (pid, inode) not in _ends:
        _ends[pid, inode] = _look_up(pid, inode)
    return _ends[pid, inode]


_ends = {}  # The system's tables are long, and the two ends of a socket stay the same.


def _look_up(pid, inode):
    for table in ("tcp", "tcp6", "udp", "udp6"):
        for words in _table(pid, table):
            if len(words) > 9 and words[9] == inode:
                local, peer = _address(words[1]), _address(words[2])
                if table.startswith("tcp") and words[3] == "0A":
                    return f"listens on {local}"
                return local if peer.endswith(":0") else f"{local} <-> {peer}"
    for words in _table(pid, "unix"):
        if len(words) > 6 and words[6] == inode:
            return words[7] if len(words) > 7 else "a Unix socket"
    return ""


def _table(pid, name):
    try:
        with open(f"/proc/{pid}/net/{name}") as file:
            return [line.split() for line in file]
    except OSError:
        return []


def _address(text):
    host, port = text.split(":")
    data = b"".join(struct.pack("<I", int(host[at : at + 8], 16)) for at in range(0, len(host), 8))
    if len(data) == 4:
        return f"{socket.inet_ntop(socket.AF_INET, data)}:{int(port, 16)}"
    return f"[{socket.inet_ntop(socket.AF_INET6, data)}]:{int(port, 16)}"
