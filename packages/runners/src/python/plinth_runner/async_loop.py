"""
The asyncio loop of async handlers: it reads the answers of the host, and it knows when nothing that it waits for can happen
any more.
"""

import asyncio
import selectors
import threading

from .handler import NeverResolves
from .host_calls import CallEnded


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
