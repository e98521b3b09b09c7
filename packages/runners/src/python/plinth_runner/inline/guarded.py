"""Built-ins and functions of modules in a form that cannot be led to hidden attributes by texts made at run time."""

import builtins

from . import names
from .breach import PolicyBreach, breach
from .policy import check_attribute

_getattr, _setattr, _delattr, _type, _isinstance, _issubclass = getattr, setattr, delattr, type, isinstance, issubclass
_build_class = builtins.__build_class__
_MISSING = object()
_MAIN = "__main__"
_module_of = type.__dict__["__module__"].__get__


def changeable(value):
    """The value itself unless it is a class that the code has not made: the standard library uses those too."""
    kind = _type(value)
    if _issubclass(kind, _type) and _module_of(value) != _MAIN:
        raise breach("a class of the standard library cannot be changed.")
    # `Annotated[x, …]` and the like set attributes of what they stand for.
    if _module_of(kind) == "typing":
        raise breach("what 'typing' makes cannot be changed.")
    return value


def guarded_build_class(function, name, /, *bases, **options):
    """`class` statements, none of which makes a class of classes."""
    made = _build_class(function, name, *bases, **options)
    if _issubclass(_type(made), _type) and _issubclass(made, _type):
        raise breach("metaclasses are not available.")
    return made


def checked_name(name):
    """The name itself when it may be used; a text's own class could answer differently each time it is asked."""
    if _type(name) is not str:
        raise breach("the name of an attribute is not a plain text.")
    try:
        check_attribute(name)
    except PolicyBreach as error:
        raise breach(str(error)) from None
    return name


def guarded_getattr(value, name, default=_MISSING, /):
    if default is _MISSING:
        return _getattr(value, checked_name(name))
    return _getattr(value, checked_name(name), default)


def guarded_hasattr(value, name, /):
    return _getattr(value, checked_name(name), _MISSING) is not _MISSING


def guarded_setattr(value, name, new, /):
    _setattr(changeable(value), checked_name(name), new)


def guarded_delattr(value, name, /):
    _delattr(changeable(value), checked_name(name))


class _TypeOfTypes(type):
    def __instancecheck__(cls, value):
        return _isinstance(value, _type)

    def __subclasscheck__(cls, value):
        return _issubclass(value, _type)

    def __repr__(cls):
        return "<class 'type'>"


class guarded_type(metaclass=_TypeOfTypes):
    """`type(value)`. It makes no classes, and does not tell the class of a class."""

    def __new__(cls, *arguments):
        if len(arguments) != 1:
            raise breach("'type' takes one value; write a class statement.")
        kind = _type(arguments[0])
        if _issubclass(kind, _type):
            raise breach("the type of a class is not available.")
        return kind


def attrgetter(*wanted):
    """`operator.attrgetter` for attributes that may be touched."""
    paths = [[checked_name(part) for part in _plain(path).split(".")] for path in wanted]
    if not paths:
        raise TypeError("attrgetter expected 1 argument, got 0")

    def get(value):
        found = []
        for path in paths:
            at = value
            for part in path:
                at = _getattr(at, part)
            found.append(at)
        return found[0] if len(found) == 1 else tuple(found)

    return get


def methodcaller(name, /, *arguments, **options):
    """`operator.methodcaller` for methods that may be called."""
    checked_name(name)
    return lambda value: _getattr(value, name)(*arguments, **options)


def _plain(text):
    if _type(text) is not str:
        raise breach("the name of an attribute is not a plain text.")
    return text


def guarded_print(stream):
    """`print` onto the captured output."""
    write = builtins.print

    def print(*values, sep=" ", end="\n", file=None, flush=False):  # noqa: A001  (it is the built-in of inline code)
        write(*values, sep=sep, end=end, file=stream if file is None else file)

    return print


def restricted_builtins(stream, import_module):
    """The built-ins of inline code as a new dict."""
    found = {name: _getattr(builtins, name) for name in names.BUILTINS if hasattr(builtins, name)}
    for name, value in vars(builtins).items():
        if _isinstance(value, _type) and _issubclass(value, BaseException) and name not in names.REMOVED_BUILTINS:
            found[name] = value
    found.update(
        {
            "__import__": import_module,
            "__build_class__": guarded_build_class,
            names.CHANGEABLE: changeable,
            "getattr": guarded_getattr,
            "hasattr": guarded_hasattr,
            "setattr": guarded_setattr,
            "delattr": guarded_delattr,
            "type": guarded_type,
            "print": guarded_print(stream),
        }
    )
    return found
