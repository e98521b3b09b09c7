"""What inline code prints, kept up to a limit that both streams share."""

from ..limits import INLINE_OUTPUT_BYTES_MAX

MARKER = "\n… the output was cut here: it has more than {} bytes\n"

# A line without an end is told in pieces.
_LINE_CHARS_KEPT = 64 * 1024


class Output:
    """One budget for the two streams."""

    def __init__(self):
        self._left = INLINE_OUTPUT_BYTES_MAX
        self.truncated = False
        self.streams = False
        self.stdout = Stream(self, "log")
        self.stderr = Stream(self, "error")

    def stream_to(self, tell):
        """`tell(level, line)` hears of each line as it is printed."""
        self.streams = True
        self.stdout.stream_to(tell)
        self.stderr.stream_to(tell)

    def end(self):
        self.stdout.end()
        self.stderr.end()

    def take(self, text):
        """As much of the text as may still be kept."""
        if self.truncated:
            return ""
        head = text[: self._left + 1].encode("utf-8", "replace")
        if len(head) <= self._left and len(text) <= self._left:
            self._left -= len(head)
            return head.decode()
        self.truncated = True
        return head[: self._left].decode("utf-8", "ignore") + MARKER.format(INLINE_OUTPUT_BYTES_MAX)


class Stream:
    """As much of a text file as `print` and the standard library use."""

    encoding = "utf-8"
    errors = "replace"
    closed = False

    def __init__(self, output, level):
        self._output = output
        self._pieces = []
        self._level = level
        self._tell = None
        self._line = ""

    def write(self, text):
        if not isinstance(text, str):
            raise TypeError("write() argument must be str")
        piece = self._output.take(str.__str__(text))
        if piece:
            self._pieces.append(piece)
            if len(self._pieces) > 1024:
                self._pieces = ["".join(self._pieces)]
            if self._tell is not None:
                self._tell_lines(piece)
        return len(text)

    def writelines(self, lines):
        for line in lines:
            self.write(line)

    def flush(self):
        return None

    def isatty(self):
        return False

    def text(self):
        return "".join(self._pieces)

    def stream_to(self, tell):
        self._tell = tell

    def end(self):
        """Tells of a last line without an end."""
        if self._line:
            self._tell(self._level, self._line)
        self._line = ""

    def _tell_lines(self, piece):
        *lines, self._line = (self._line + piece).split("\n")
        for line in lines:
            self._tell(self._level, line)
        if len(self._line) > _LINE_CHARS_KEPT:
            self.end()
