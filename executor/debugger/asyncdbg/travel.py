"""Back in time, by doing it again: `async goto N` and `async back`.

No debugger has to run backwards if the program does the same each time: then the N-th poll is reached
by starting once more, and stopping there. `demo tour --replay FILE` is such a program, and so is
whatever runs on a virtual clock and talks to nobody.

The polls are counted at a landmark that the executor passes before each of them.
"""

from . import Trouble, futures, report

LANDMARK = "executor::scheduler::Scheduler::report_poll"
TOLD = []  # whether it has been said that runs differ
MOST = 100_000  # polls; a run that is longer is not one to go through poll by poll

HELP = """\
async goto N           runs the program again, up to its N-th poll
async back             to the poll before the one that runs now, or has run last
"""


def now(driver):
    """The poll that runs or has run last: (executor, task, how often that has been polled)."""
    for executor in driver.program().executors:
        if executor.polling:
            for task in executor.tasks:
                if task.id == executor.polling:
                    return executor.id, task.id, task.polls
    raise Trouble("no task is being polled: `async goto N` goes to a poll by its number")


def check_that_it_may_end(driver):
    """Only a program that the debugger has started, and is the parent of, may be started again."""
    pid = driver.program().world.pid
    if pid is None or not is_child(pid):
        raise Trouble("only a program that was started in this debugger can be started again")


def is_child(pid):
    with open(f"/proc/{pid}/status") as file:
        status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
    return status.get("PPid") == status.get("TracerPid")


def stop(driver, wanted):
    """Runs it again, up to the poll for which `wanted(number)` holds. Its number; None if there is none."""
    reached = []

    def arrived(number):
        reached[:] = [number] if wanted(number) else []
        return bool(reached) or number >= MOST

    reason = driver.again(LANDMARK, arrived)
    if reason is None:
        raise Trouble(f"`{LANDMARK}` is not found: this needs a program built without optimisation")
    return reached[0] if reached else None


def enter(driver, number):
    """From the landmark into the coroutine, to the innermost `.await` at which it stands."""
    program = driver.program()
    task = next(task for task in program.tasks() if task.state == "running")
    warn(driver, program)
    by = "just spawned" if task.woken_by == "Spawn" else f"woken by {report.woken_by(task)}"
    driver.say(f"before poll {number} of this run, which is poll {task.polls} of {task.label}; {by}")
    found = innermost(program, task)
    if found is not None and driver.run_to(*found[:2]) == "here":
        frame, line = driver.frames(1)[0], found[2]
        if line not in (None, frame.line):
            driver.over()  # from the head of the function to the `.await` where it goes on
    return driver.where()


def warn(driver, program):
    """Once: by the system's clock no run is like the other. (That of a replay is a virtual one.)"""
    if not TOLD and any(not reactor.is_virtual() for reactor in program.reactors):
        TOLD.append("")
        driver.say("nothing repeats this run: it may differ from the last one (a `demo tour --replay FILE` does not)")


def innermost(program, task):
    """(the function, its coroutine, the line of its `.await`), where the poll will go on; None for a
    future made by hand.
    """
    node, found = futures.tree(task), None
    while node is not None:
        start = program.shapes.body_of_coroutine(node.value.shape) if node.coroutine else None
        if start is not None:
            state, _, _, line = node.value.variant()
            found = start + program.bias, node.value.address, line if state.startswith("Suspend") else None
        node = node.branches[0][1] if len(node.branches) == 1 else None
    return found


def goto(driver, number):
    """async goto N"""
    if not number.isdigit() or int(number) == 0:
        raise Trouble("`async goto N`: N is the number of a poll, from 1 on")
    check_that_it_may_end(driver)
    with driver.without_breakpoints():
        return go(driver, int(number))


def go(driver, number):
    if stop(driver, lambda n: n == number) is None:
        raise Trouble(f"the run has ended before poll {number}")
    return enter(driver, number)


def back(driver):
    """async back"""
    check_that_it_may_end(driver)
    here = now(driver)
    with driver.without_breakpoints():
        number = stop(driver, lambda _: now(driver) == here)
        if number is None:
            raise Trouble("this poll does not happen again: is the run the same each time? (demo tour --replay FILE)")
        if number == 1:
            raise Trouble("this is the first poll")
        return go(driver, number - 1)


COMMANDS = {"goto": goto, "back": back}
