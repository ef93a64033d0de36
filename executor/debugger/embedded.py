"""Embedded into every program that has the executor in it (`debugger_visualizer`, in lib.rs).

It only says where the commands are: they stay in the source tree, beside the executor's code, whose
place is in the debug information. gdb runs it if the program's folder is among those it trusts:

    gdb -iex 'add-auto-load-safe-path target' target/debug/demo
"""

import os

import gdb


def load():
    symbol = gdb.lookup_static_symbol(
        "executor::scheduler::Scheduler::poll_task"
    ) or gdb.lookup_global_symbol("executor::scheduler::Scheduler::poll_task")
    if symbol is None or symbol.symtab is None:
        return
    source = os.path.dirname(symbol.symtab.fullname())
    front = os.path.join(os.path.dirname(source), "debugger", "for_gdb.py")
    if os.path.exists(front):
        gdb.execute("source " + front)


load()
