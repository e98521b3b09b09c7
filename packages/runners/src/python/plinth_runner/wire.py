"""
Frames over two descriptors: `u32 LE length of the rest, u32 LE envelope length, envelope (JSON), body`.

Any thread may send. Any thread may wait for the answer of a host call: one of those who wait reads for all of them, so
that no thread of the runner's own is needed. What the host sends is trusted.
"""

from _thread import allocate_lock
from posix import read, set_blocking, write

from .json_text import dumps, loads
from .limits import FRAME_BYTES_MAX

_EMPTY = b""


class HostGone(BaseException):
    """The host closed the connection."""


class Wire:
    def __init__(self, read_fd, write_fd):
        self.read_fd = read_fd
        self._write_fd = write_fd
        self._write_lock = allocate_lock()
        set_blocking(read_fd, True)
        set_blocking(write_fd, True)

    def send(self, envelope, body=_EMPTY):
        head = dumps(envelope).encode()
        rest = 4 + len(head) + len(body)
        if rest > FRAME_BYTES_MAX:
            raise ValueError(f"a message of {rest} bytes is over {FRAME_BYTES_MAX}")
        data = b"".join((rest.to_bytes(4, "little"), len(head).to_bytes(4, "little"), head, body))
        view = memoryview(data)
        with self._write_lock:
            while view:
                try:
                    view = view[write(self._write_fd, view) :]
                except (BrokenPipeError, ConnectionResetError):
                    raise HostGone from None

    def receive(self):
        """The next frame: its envelope and its body."""
        rest = int.from_bytes(self._exactly(4), "little")
        data = self._exactly(rest)
        end = 4 + int.from_bytes(data[:4], "little")
        return loads(data[4:end]), data[end:]

    def _exactly(self, count):
        data = bytearray()
        while len(data) < count:
            try:
                piece = read(self.read_fd, min(count - len(data), 1 << 20))
            except ConnectionResetError:
                piece = _EMPTY
            if not piece:
                raise HostGone
            data += piece
        return bytes(data)
