"""
An asyncio loop for a process that may make no socket: it wakes itself over a pipe, and it knows when nothing that it
waits for can happen any more.
"""

import asyncio
import os
import selectors
import threading

from .handler import NeverResolves
from .host_calls import CallEnded


class _PipeEnd:
    """As much of a socket as the loop uses to wake itself."""

    def __init__(self, fd):
        self._fd = fd
        os.set_blocking(fd, False)

    def fileno(self):
        return self._fd

    def recv(self, count):
        return os.read(self._fd, count)

    def send(self, data):
        return os.write(self._fd, data)

    def close(self):
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = -1


class _Selector(selectors.DefaultSelector):
    """
    Ends the loop when the host asks for it, and refuses to wait for ever when only the loop itself could end the wait.
    What a callback raises the loop would swallow; what this raises ends it.
    """

    calls = None
    own = 1

    def select(self, timeout=None):
        if self.calls is not None and self.calls.ended is not None:
            raise CallEnded(self.calls.ended)
        if timeout is None and self.calls is not None and self.calls.pending == 0:
            if len(self.get_map()) <= self.own and threading.active_count() == 1:
                raise NeverResolves
        return super().select(timeout)


class HostLoop(asyncio.SelectorEventLoop):
    def __init__(self, calls):
        selector = _Selector()
        super().__init__(selector)
        selector.calls = calls
        self.add_reader(calls.read_fd, calls.read_ready)
        selector.own = len(selector.get_map())

    def _make_self_pipe(self):
        read_fd, write_fd = os.pipe()
        self._ssock, self._csock = _PipeEnd(read_fd), _PipeEnd(write_fd)
        self._internal_fds += 1
        self._add_reader(read_fd, self._read_from_self)


def run_async(awaitable, calls):
    """Runs a coroutine to its end and returns its value. Tasks that are left over are cancelled."""
    loop = HostLoop(calls)
    asyncio.set_event_loop(loop)
    try:
        return loop.run_until_complete(_value_of(awaitable))
    finally:
        try:
            _cancel_rest(loop)
        finally:
            asyncio.set_event_loop(None)
            loop.close()


async def _value_of(awaitable):
    return await awaitable


def _cancel_rest(loop):
    loop._selector.calls = None
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.wait(tasks, timeout=0.05))
    loop.run_until_complete(loop.shutdown_asyncgens())
