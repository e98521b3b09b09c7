"""
The result of inline code as JSON text, cut to its limits. Only the interpreter's own methods of text, numbers, lists and
dicts are used, so that nothing of the code's own classes runs while its result is read.
"""

from _json import encode_basestring_ascii as _quote

from ..limits import INLINE_RESULT_DEPTH_MAX, INLINE_RESULT_ITEMS_MAX, INLINE_RESULT_KEYS_MAX

TOO_DEEP = f"<cut: more than {INLINE_RESULT_DEPTH_MAX} levels>"
MORE_KEY = "<cut>"
_LISTS = (list, tuple, set, frozenset)
_INFINITY = float("inf")
_len, _repr, _issubclass, _type = len, repr, issubclass, type


class Unsendable(Exception):
    """The result has no JSON form."""


class ResultWriter:
    """Writes one value. `cut` says whether anything was left out."""

    def __init__(self, bytes_max):
        self._left = bytes_max
        self._bytes_max = bytes_max
        self.cut = False

    def text(self, value, depth=0):
        kind = _type(value)
        if value is None:
            return self._put("null")
        if kind is bool:
            return self._put("true" if value else "false")
        if _issubclass(kind, str):
            return self._put(_quote(str.__str__(value)))
        if _issubclass(kind, int):
            return self._put(_digits(value))
        if _issubclass(kind, float):
            return self._put(_number(float.__float__(value)))
        if _issubclass(kind, dict):
            return self._dict(value, depth)
        for base in _LISTS:
            if _issubclass(kind, base):
                return self._list(value, base, depth)
        raise Unsendable(f"The result holds a value of type {_name(kind)}, which has no JSON form; turn it into text or numbers.")

    def _list(self, value, base, depth):
        if depth >= INLINE_RESULT_DEPTH_MAX:
            return self._marker(TOO_DEEP)
        count = base.__len__(value)
        parts = []
        for item in base.__iter__(value):
            if _len(parts) == INLINE_RESULT_ITEMS_MAX:
                parts.append(self._marker(f"<cut: {count - INLINE_RESULT_ITEMS_MAX} more items>"))
                break
            parts.append(self.text(item, depth + 1))
        self._put("[]" + "," * _len(parts))
        return "[" + ",".join(parts) + "]"

    def _dict(self, value, depth):
        if depth >= INLINE_RESULT_DEPTH_MAX:
            return self._marker(TOO_DEEP)
        parts = []
        for key, item in dict.items(value):
            if _len(parts) == INLINE_RESULT_KEYS_MAX:
                more = dict.__len__(value) - INLINE_RESULT_KEYS_MAX
                parts.append(_quote(MORE_KEY) + ":" + self._marker(f"<cut: {more} more keys>"))
                break
            parts.append(self._put(_key(key)) + ":" + self.text(item, depth + 1))
        self._put("{}" + ",:" * _len(parts))
        return "{" + ",".join(parts) + "}"

    def _marker(self, text):
        self.cut = True
        return self._put(_quote(text))

    def _put(self, text):
        self._left -= _len(text)
        if self._left < 0:
            raise Unsendable(f"The result has more than {self._bytes_max} bytes.")
        return text


def _key(key):
    kind = _type(key)
    if _issubclass(kind, str):
        return _quote(str.__str__(key))
    if kind is bool:
        return '"true"' if key else '"false"'
    if _issubclass(kind, int):
        return '"' + _digits(key) + '"'
    if key is None:
        return '"null"'
    raise Unsendable(f"The result has a key of type {_name(kind)}; keys are texts or integers.")


def _digits(value):
    try:
        return int.__repr__(value)
    except ValueError:
        raise Unsendable("The result holds an integer with too many digits.") from None


def _number(value):
    if value != value or value == _INFINITY or value == -_INFINITY:
        raise Unsendable("The result holds NaN or an infinity, which JSON does not have.")
    return _repr(value)


def _name(kind):
    name = _type.__dict__["__name__"].__get__(kind)
    return name[:100]
