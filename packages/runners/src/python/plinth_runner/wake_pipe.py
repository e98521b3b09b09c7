"""Lets event loops of asyncio wake themselves over a pipe: a jail allows no pair of sockets."""

import os


class PipeEnd:
    """As much of a socket as a loop uses to wake itself."""

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


def _make_self_pipe(loop):
    read_fd, write_fd = os.pipe()
    loop._ssock, loop._csock = PipeEnd(read_fd), PipeEnd(write_fd)
    loop._internal_fds += 1
    loop._add_reader(read_fd, loop._read_from_self)


def patch_selector_events(module):
    module.BaseSelectorEventLoop._make_self_pipe = _make_self_pipe
