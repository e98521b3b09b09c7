"""
The policy for inline code, on its syntax tree. Pure: takes a tree, raises PolicyBreach for the first thing that is not
allowed. It keeps mistakes and curiosity from going far; the jail is what holds when it is fooled.
"""

from ..limits import INLINE_CODE_PARTS_MAX
from . import names
from .breach import PolicyBreach
from .rewrite import is_own_private
from .scan import Unrunnable

_EXTRA_NAMES = frozenset(("__name__",))


def check_tree(tree, found=None):
    """
    Walks the tree without recursion, in the order of the source as far as that is cheap. With a list, breaches are added to it, at
    most one for a node, and not raised.
    """
    stored = _Stored()
    later = []
    stack = [tree]
    count = 0
    while stack:
        node = stack.pop()
        count += 1
        if count > INLINE_CODE_PARTS_MAX:
            raise Unrunnable(f"The code has more than {INLINE_CODE_PARTS_MAX} parts.")
        kind = type(node).__name__
        try:
            check = _CHECKS.get(kind)
            if check is not None:
                check(node)
            _check_identifiers(node, kind, stored, later)
        except PolicyBreach as breach:
            _take(breach, found)
            stored.discard("super")
        for field in node._fields:
            value = getattr(node, field, None)
            if isinstance(value, list):
                stack.extend(item for item in reversed(value) if hasattr(item, "_fields"))
            elif hasattr(value, "_fields"):
                stack.append(value)
    for node in later:
        try:
            _check_later(node, stored)
        except PolicyBreach as breach:
            _take(breach, found)


def _take(breach, found):
    if found is None:
        raise breach
    found.append(breach)


def _check_later(node, stored):
    """What depends on names that the code gives a meaning further down."""
    if type(node).__name__ == "MatchClass":
        # A class of the code's own under this name could read any attribute by its position; `_check_class_pattern` refuses others.
        if type(node.cls).__name__ == "Name" and node.cls.id in stored:
            raise _no(node, f"class patterns with positions are not available where '{node.cls.id}' is another class")
    # A name that the code itself gives a meaning is not the built-in.
    elif node.id not in stored:
        raise _no(node, f"the built-in '{node.id}' is not available")


def check_module(name, node=None):
    """Raises PolicyBreach when the module of a dotted name may not be imported."""
    plain = normalised(name)
    first = plain.partition(".")[0]
    if plain in names.ALLOWED_SUBMODULES:
        return
    if first in names.LIBRARIES:
        if any(part.startswith("_") for part in plain.split(".")):
            raise _no(node, f"the module '{plain[:100]}' is private")
        return
    if first in names.BLOCKED_MODULES:
        raise _no(node, f"the module '{first}' is blocked")
    if plain not in names.ALLOWED_MODULES:
        raise _no(node, f"the module '{plain[:100]}' is not available")


def check_attribute(name, node=None):
    """Raises PolicyBreach when the attribute may not be touched, whatever its object is."""
    plain = normalised(name)
    if plain.startswith("_"):
        raise _no(node, f"the attribute '{plain[:100]}' begins with an underscore")
    if plain in names.FORBIDDEN_ATTRIBUTES:
        hint = "; use an f-string" if plain in ("format", "format_map") else ""
        raise _no(node, f"the attribute '{plain}' is not available{hint}")


def normalised(name):
    if name.isascii():
        return name
    import unicodedata

    return unicodedata.normalize("NFKC", name)


class _Stored(set):
    """Names that the code assigns, defines, imports or takes as arguments."""


def _check_identifiers(node, kind, stored, later):
    if kind == "Name":
        # In a class, `__len__ = __iter__` is what a second `def` would be.
        if node.id not in names.DUNDER_METHODS:
            _check_name(node.id, node)
        if type(node.ctx).__name__ == "Store":
            stored.add(node.id)
        elif node.id in names.REMOVED_BUILTINS:
            later.append(node)
    elif kind == "arg":
        _check_name(node.arg, node)
        stored.add(node.arg)
    elif kind in ("FunctionDef", "AsyncFunctionDef"):
        if node.name not in names.DUNDER_METHODS:
            _check_name(node.name, node)
        stored.add(node.name)
    elif kind in ("Global", "Nonlocal"):
        for name in node.names:
            _check_name(name, node)
    elif kind == "keyword":
        if node.arg is not None:
            _check_name(node.arg, node)
    elif kind in ("ClassDef", "ExceptHandler", "MatchAs", "MatchStar", "TypeVar", "ParamSpec", "TypeVarTuple"):
        if node.name is not None:
            _check_name(node.name, node)
            stored.add(node.name)
    elif kind == "alias":
        stored.add(node.asname or node.name.partition(".")[0])
    elif kind == "MatchMapping" and node.rest is not None:
        _check_name(node.rest, node)
        stored.add(node.rest)
    elif kind == "MatchClass" and node.patterns:
        later.append(node)
    if "super" in stored:
        raise _no(node, "'super' cannot be another thing")


def _check_name(name, node):
    plain = normalised(name)
    if plain in names.REMOVED_BUILTINS and plain.startswith("_"):
        raise _no(node, f"the built-in '{plain}' is not available")
    if plain.startswith("__") and plain not in _EXTRA_NAMES and plain.strip("_"):
        raise _no(node, f"the name '{plain[:100]}' begins with two underscores")
    if plain in names.FORBIDDEN_ATTRIBUTES and plain not in names.ORDINARY_WORDS:
        raise _no(node, f"the name '{plain}' is not available")


def _check_import(node):
    for alias in node.names:
        check_module(alias.name, node)
        if alias.asname is not None:
            _check_name(alias.asname, node)


def _check_import_from(node):
    if node.level > 0:
        raise _no(node, "relative imports are not available")
    wanted = [alias.name for alias in node.names]
    if node.module == "urllib" and wanted == ["parse"]:
        pass
    else:
        check_module(node.module or "", node)
    # A module below a package may well be named like one of these.
    harmless = names.ORDINARY_WORDS if (node.module or "").partition(".")[0] in names.LIBRARIES else ()
    for alias in node.names:
        if alias.name != "*" and alias.name not in harmless:
            check_attribute(alias.name, node)
        if alias.asname is not None:
            _check_name(alias.asname, node)


def _check_attribute_node(node):
    name = node.attr
    if name in names.DUNDER_METHODS and _is_super(node.value):
        return
    if is_own_private(name) and type(node.value).__name__ == "Name" and node.value.id in ("self", "cls"):
        return
    check_attribute(name, node)


def _is_super(node):
    return (
        type(node).__name__ == "Call"
        and type(node.func).__name__ == "Name"
        and node.func.id == "super"
        and not node.args
        and not node.keywords
    )


def _check_call(node):
    if type(node.func).__name__ != "Name" or node.func.id not in names.GUARDED_GETTERS:
        return
    second = node.args[1] if len(node.args) > 1 else None
    if type(second).__name__ != "Constant" or type(second.value) is not str:
        raise _no(node, f"'{node.func.id}' takes the name of an attribute as a plain text only")
    check_attribute(second.value, node)


def _check_class(node):
    for keyword in node.keywords:
        if keyword.arg is None or keyword.arg == "metaclass":
            raise _no(node, "metaclasses are not available")


def _check_class_pattern(node):
    if node.patterns and not (type(node.cls).__name__ == "Name" and node.cls.id in names.POSITIONAL_PATTERNS):
        raise _no(node, "class patterns with positions are not available; name the attributes")
    for name in node.kwd_attrs:
        check_attribute(name, node)


def _check_handler(node):
    """`e.name` and `e.obj` of a caught exception hold what the failing code worked on."""
    if node.name is None:
        return
    stack = list(node.body)
    while stack:
        inner = stack.pop()
        if type(inner).__name__ == "Attribute" and inner.attr in ("name", "obj"):
            if type(inner.value).__name__ == "Name" and inner.value.id == node.name:
                raise _no(inner, f"the attribute '{inner.attr}' of an exception is not available")
        for field in inner._fields:
            value = getattr(inner, field, None)
            if isinstance(value, list):
                stack.extend(item for item in value if hasattr(item, "_fields"))
            elif hasattr(value, "_fields"):
                stack.append(value)


def _refuse_groups(node):
    raise _no(node, "groups of exceptions are not available")


_CHECKS = {
    "Import": _check_import,
    "ImportFrom": _check_import_from,
    "Attribute": _check_attribute_node,
    "Call": _check_call,
    "ClassDef": _check_class,
    "MatchClass": _check_class_pattern,
    "ExceptHandler": _check_handler,
    "TryStar": _refuse_groups,
}


def _no(node, message):
    line = getattr(node, "lineno", None)
    error = PolicyBreach(f"{'' if line is None else f'line {line}: '}{message}.")
    error.plain = f"{message}."
    error.place = (line or 1, getattr(node, "col_offset", 0))
    return error
