"""A look at source text before it is parsed: its size and how deep its brackets nest. Linear, and no parser is involved."""

from ..limits import INLINE_CODE_BYTES_MAX, INLINE_CODE_DEPTH_MAX

_OPEN = b"([{"
_CLOSE = b")]}"
_QUOTES = b"'\""


class Unrunnable(Exception):
    """The code cannot be run at all (exit code 4)."""


def scan(source):
    """Raises Unrunnable for source that is too large or nests too deeply."""
    data = source.encode("utf-8", "surrogatepass")
    if len(data) > INLINE_CODE_BYTES_MAX:
        raise Unrunnable(f"The code has {len(data)} bytes and may have {INLINE_CODE_BYTES_MAX}.")
    if sum(data.count(bracket) for bracket in _OPEN) > INLINE_CODE_DEPTH_MAX and _depth(data) > INLINE_CODE_DEPTH_MAX:
        raise Unrunnable(f"The code nests its brackets deeper than {INLINE_CODE_DEPTH_MAX} levels.")


def _depth(data):
    """
    The greatest depth of brackets outside comments and texts. Brackets in an f-string are part of its text here; how deep they
    may nest is limited by the parser.
    """
    depth = deepest = at = 0
    end = len(data)
    while at < end:
        byte = data[at]
        if byte in _OPEN:
            depth += 1
            deepest = max(deepest, depth)
            if deepest > INLINE_CODE_DEPTH_MAX:
                return deepest
        elif byte in _CLOSE:
            depth = max(0, depth - 1)
        elif byte == 0x23:
            line_end = data.find(b"\n", at)
            at = end if line_end < 0 else line_end
        elif byte in _QUOTES:
            at = _after_text(data, at) - 1
        at += 1
    return deepest


def _after_text(data, at):
    """Where the text that begins at a quote ends."""
    quote = data[at : at + 1]
    triple = data[at : at + 3] == quote * 3
    closing = quote * 3 if triple else quote
    at += len(closing)
    while at < len(data):
        if data[at] == 0x5C:
            at += 2
        elif data.startswith(closing, at):
            return at + len(closing)
        elif not triple and data[at] == 0x0A:
            return at
        else:
            at += 1
    return at
