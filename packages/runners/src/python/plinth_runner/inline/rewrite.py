"""
Changes to a syntax tree that passed the policy, so that code of its own stays apart from the insides of the standard library.

W1 A private name (`self._x`) is another one than any private name of the standard library: all of the code's own get a suffix.
W2 An attribute is set or deleted through a look at its object: classes that are not the code's own stay as they are.
"""

from . import names

# A letter that texts of messages show like a colon, and that no name of the standard library has.
SUFFIX = "\u02d0"
_LISTS = {"Global": "names", "Nonlocal": "names"}
_SINGLES = {
    "Name": "id",
    "arg": "arg",
    "keyword": "arg",
    "Attribute": "attr",
    "FunctionDef": "name",
    "AsyncFunctionDef": "name",
    "ClassDef": "name",
    "ExceptHandler": "name",
    "MatchAs": "name",
    "MatchStar": "name",
    "MatchMapping": "rest",
    "TypeVar": "name",
    "ParamSpec": "name",
    "TypeVarTuple": "name",
    "alias": "asname",
}


def is_own_private(name):
    return name.startswith("_") and not name.startswith("__") and not name.endswith("_") and "__" not in name


def as_written(text):
    """A text for people, with private names as the code has them."""
    return text.replace(SUFFIX, "")


def rewrite_tree(tree):
    """Changes the tree in place, without recursion."""
    from _ast import Call, Load, Name

    stack = [tree]
    while stack:
        node = stack.pop()
        kind = type(node).__name__
        field = _SINGLES.get(kind)
        if field is not None:
            name = getattr(node, field)
            if name is not None and is_own_private(name) and name not in names.TUPLE_METHODS:
                setattr(node, field, name + SUFFIX)
        elif kind in _LISTS:
            node.names = [name + SUFFIX if is_own_private(name) else name for name in node.names]
        for each in node._fields:
            value = getattr(node, each, None)
            if isinstance(value, list):
                stack.extend(item for item in value if hasattr(item, "_fields"))
            elif hasattr(value, "_fields"):
                stack.append(value)
        if kind == "Attribute" and type(node.ctx).__name__ != "Load":
            at = {"lineno": node.lineno, "col_offset": node.col_offset}
            at |= {"end_lineno": node.end_lineno, "end_col_offset": node.end_col_offset}
            node.value = Call(Name(names.CHANGEABLE, Load(), **at), [node.value], [], **at)
