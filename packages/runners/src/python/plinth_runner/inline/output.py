"""What inline code prints, kept up to a limit that both streams share."""

from ..limits import INLINE_OUTPUT_BYTES_MAX

MARKER = "\n… the output was cut here: it has more than {} bytes\n"


class Output:
    """One budget for the two streams."""

    def __init__(self):
        self._left = INLINE_OUTPUT_BYTES_MAX
        self.truncated = False
        self.stdout = Stream(self)
        self.stderr = Stream(self)

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

    def __init__(self, output):
        self._output = output
        self._pieces = []

    def write(self, text):
        if not isinstance(text, str):
            raise TypeError("write() argument must be str")
        piece = self._output.take(str.__str__(text))
        if piece:
            self._pieces.append(piece)
            if len(self._pieces) > 1024:
                self._pieces = ["".join(self._pieces)]
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
