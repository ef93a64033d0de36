"""What is ours, in words: the same in a variable of a coroutine and in the debugger's own `print`."""

from . import Trouble, sources, std
from .values import Value


def words(value):
    """Such as `wakes task 7 «customer 2»`, for a Waker."""
    name = value.shape.name.split("<", 1)[0]
    return WORDS[name](value.shape.shapes.program, value)


def of(program, type_name, address):
    """The same for a value of which a debugger knows the type's name and the address. None if there
    is nothing to say: then the debugger shows it in its own way.
    """
    try:
        # lldb writes `JoinHandle<unsigned int>`. What is said here is the same for any of them.
        # But an `Async<TcpStream>` is laid out as its TcpStream demands.
        name = type_name.split("<", 1)[0]
        shape = program.shapes.named(type_name)
        if shape is None and WORDS.get(name) is not socket:
            shape = program.shapes.named(name + "<")
        return words(Value(program.memory, shape, address)) if shape is not None else None
    except Exception:  # half a value, in the middle of a change: nothing to make a fuss about
        return None


def waker(program, value):
    data, vtable = std.waker(value)
    if vtable not in program.vtables():
        return f"Waker of others {{data: {data:#x}, vtable: {vtable:#x}}}"
    return "wakes " + key_in_words(program, data)


def key(program, value):
    return key_in_words(program, value.number())


def key_in_words(program, number):
    task = program.task_of_key(number)
    if task is not None:
        return task.label
    return (
        f"a task that has ended ({number >> 48:#06x}_{number >> 32 & 0xFFFF:04x}_{number & 0xFFFFFFFF:08x})"
    )


def task_id(_, value):
    return f"#{value.number()}"


def join_handle(program, value):
    number = value.field("id").number()
    pointer = std.option(value.field("scheduler"))
    if pointer is None:
        return f"JoinHandle of task {number}, which has given its output"
    at = std.counted(pointer).address
    executor = next((one for one in program.executors if one.value.address == at), None)
    if executor is None:  # none at all: it has been moved away, or is not there yet
        raise Trouble("its executor is gone")
    task = executor.task(number)
    return f"JoinHandle of {task.label if task is not None else f'task {number}'}"


def end_of_channel(_, value):
    channel = value.field("channel").deref().field("value")
    inside, capacity = len(std.deque(std.cell(channel.field("queue")))), channel.field("capacity").number()
    return f"{value.shape.base}: {inside}{f' of {capacity}' if capacity < 1 << 60 else ''} in the channel"


def end_of_oneshot(_, value):
    return value.shape.base


def sleep(program, value):
    return f"Sleep: {sources.timer(program, value)}"


def socket(program, value):
    key = value.field("key")
    source = sources.find(program, *(key.field(part).number() for part in ("reactor", "slot", "generation")))
    kind = value.shape.parameter("S")
    kind = kind.base if kind is not None else "socket"
    return (
        f"{kind}: {sources.describe(program, source)}"
        if source is not None
        else f"{kind}: not open"
    )


WORDS = {
    "core::task::wake::Waker": waker,
    "executor::key::Key": key,
    "executor::task::TaskId": task_id,
    "executor::join::JoinHandle": join_handle,
    "executor::channel::Sender": end_of_channel,
    "executor::channel::Receiver": end_of_channel,
    "executor::channel::oneshot::OneshotSender": end_of_oneshot,
    "executor::channel::oneshot::OneshotReceiver": end_of_oneshot,
    "reactor::time::Sleep": sleep,
    "reactor::io::Async": socket,
}
