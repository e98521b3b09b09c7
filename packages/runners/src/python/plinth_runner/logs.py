"""Standard output and `logging` as console lines of the open call, within its limits."""

import io
import sys
import threading

_PARTIAL_CHARS_MAX = 64 * 1024


class LogSink:
    """Sends the lines of one call; counts what is over the limit."""

    def __init__(self, wire, call, lines_max, line_bytes_max):
        self._wire = wire
        self._call = call
        self._left = lines_max
        self._line_bytes_max = line_bytes_max
        self._lock = threading.Lock()
        self.dropped = 0
        self._closed = False

    def line(self, level, text, cut=False):
        with self._lock:
            if self._closed:
                return
            if self._left <= 0:
                self.dropped += 1
                return
            self._left -= 1
            head = text[: self._line_bytes_max].encode("utf-8", "replace")
            truncated = cut or len(head) > self._line_bytes_max or len(text) > self._line_bytes_max
            if len(head) > self._line_bytes_max:
                head = head[: self._line_bytes_max].decode("utf-8", "ignore").encode()
            self._send(level, head, truncated, 0)

    def close(self):
        """Says how many lines were dropped; nothing is sent afterwards."""
        with self._lock:
            if not self._closed and self.dropped > 0:
                self._send("warn", b"", False, self.dropped)
            self._closed = True

    def _send(self, level, body, truncated, dropped):
        envelope = {"type": "log", "call": self._call, "level": level, "truncated": truncated, "dropped": dropped}
        self._wire.send(envelope, body)


class LineStream(io.TextIOBase):
    """`sys.stdout` or `sys.stderr`: cuts what is written into lines. Without an open call it is dropped."""

    encoding = "utf-8"
    errors = "replace"

    def __init__(self, level):
        super().__init__()
        self.level = level
        self.sink = None
        self._partial = ""
        self._overlong = False

    def writable(self):
        return True

    def write(self, text):
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        sink = self.sink
        if sink is None:
            return len(text)
        start = 0
        while True:
            end = text.find("\n", start)
            if end < 0:
                self._keep(text[start : start + _PARTIAL_CHARS_MAX], len(text) - start)
                return len(text)
            self._keep(text[start : min(end, start + _PARTIAL_CHARS_MAX)], end - start)
            self._emit(sink)
            start = end + 1

    def _keep(self, piece, whole):
        room = _PARTIAL_CHARS_MAX - len(self._partial)
        self._partial += piece[:room]
        self._overlong = self._overlong or whole > room

    def _emit(self, sink):
        text, self._partial = self._partial, ""
        cut, self._overlong = self._overlong, False
        sink.line(self.level, text, cut)

    def end_call(self):
        if self._partial and self.sink is not None:
            self._emit(self.sink)
        self._partial = ""
        self._overlong = False
        self.sink = None


STDOUT = LineStream("log")
STDERR = LineStream("error")


def install():
    sys.stdout = STDOUT
    sys.stderr = STDERR


def patch_logging(logging):
    """Gives lines of `logging` that go to standard output or error their own level."""
    original = logging.StreamHandler.emit

    def emit(self, record):
        stream = self.stream
        if isinstance(stream, LineStream) and stream.sink is not None:
            try:
                text = self.format(record)
            except RecursionError:
                raise
            except Exception:
                self.handleError(record)
                return
            for line in text.split("\n"):
                stream.sink.line(_level_name(record.levelno), line)
        else:
            original(self, record)

    logging.StreamHandler.emit = emit


def _level_name(number):
    if number >= 40:
        return "error"
    if number >= 30:
        return "warn"
    return "info" if number >= 20 else "debug"
