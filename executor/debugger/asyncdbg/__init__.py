"""What a debugger can say of coroutines, read from memory and from nothing else.

A coroutine that is parked is not a stack. It is a value: which `.await` it stands at, the variables
that live across it, and the future it waits for, which is such a value again. So its stack can be
read like any other data, in a debug build or a release build, in a running process or in a core
dump, and without running a single instruction of the program.

    elf.py        the file: sections, symbols
    forms.py      the alphabet of DWARF, the format of debug information
    dwarf.py      the debug information in the file: a forest of entries
    search.py     the ways into it: by address, by name
    lines.py      the names of source files
    shapes.py     what a type looks like in memory
    memory.py     bytes of the program, wherever they come from
    values.py     a place in memory together with its type
    std.py        Vec, Rc, Option, String ...: the few parts of std that are needed
    names.py      a type and a function as a person would say them
    show.py       a value as a person would write it

    runtime.py    the executors and reactors of a process, and their tasks
    sources.py    sockets and timers, as the reactor knows them
    futures.py    the tree of futures in a task: from the task to what it waits for
    within.py     what lies between one of them and the next: lists, names
    wakers.py     where in memory the wakers of a task are
    chain.py      who waits for whom
    ours.py       what is ours, in words: a waker, a handle, a socket
    linux.py      what the system tells of a process

    commands.py   `async tasks`, `async bt` ...: the text that all three fronts print
    report.py     the parts of that text
    steps.py      `async next` and its like, for gdb and lldb

It needs Python 3.9 and nothing else. The fronts are one folder up: for_gdb.py, for_lldb.py, and
async-spy, which needs no debugger.
"""


class Trouble(Exception):
    """Something that cannot be done, and a sentence for people that says why."""
