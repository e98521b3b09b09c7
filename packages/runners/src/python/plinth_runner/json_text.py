"""
JSON without the package `json`, whose imports take longer than a short program runs. Reading is that of the interpreter's
own scanner; writing is for the small messages of the runner.
"""

from _json import encode_basestring_ascii as quote
from _json import make_scanner


class _Options:
    strict = True
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int
    memo: dict = {}

    @staticmethod
    def parse_constant(name):
        raise ValueError(f"{name} is not JSON")


_scan = make_scanner(_Options())


def loads(data):
    """The value of a JSON text without surrounding white space, in UTF-8."""
    text = data.decode("utf-8", "surrogatepass")
    value, end = _scan(text, 0)
    if end != len(text):
        raise ValueError("there is something after the value")
    return value


def dumps(value):
    """JSON text of plain dicts, lists, texts, integers, booleans and None."""
    if value is None:
        return "null"
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, dict):
        return "{" + ",".join(quote(key) + ":" + dumps(item) for key, item in value.items()) + "}"
    return "[" + ",".join(dumps(item) for item in value) + "]"
