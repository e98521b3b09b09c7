"""
The modules that inline code sees: new module objects with the public names of the real ones, without modules among them
and without what evaluates texts, reads attributes by name, makes classes from dicts, or starts something.
"""

import builtins
import sys

from . import guarded, libraries, names
from .breach import PolicyBreach, breach
from .policy import check_attribute, check_module
from .rewrite import SUFFIX

_Module = type(sys)

# Only these names of a module are handed out.
_ONLY = {
    "abc": "ABC abstractmethod",
    "types": "SimpleNamespace MappingProxyType NoneType EllipsisType NotImplementedType GenericAlias UnionType",
    "uuid": "UUID SafeUUID uuid3 uuid4 uuid5 uuid7 uuid8 NAMESPACE_DNS NAMESPACE_URL NAMESPACE_OID NAMESPACE_X500 RFC_4122 NIL MAX",
    "hmac": "HMAC new digest compare_digest digest_size",
}

# These are not.
_HIDDEN = {
    "contextlib": "chdir",
    "dataclasses": "make_dataclass",
    "enum": "EnumMeta EnumType EnumDict global_enum global_enum_repr global_flag_repr global_str pickle_by_enum_name pickle_by_global_name",
    "functools": "singledispatch singledispatchmethod",
    "string": "Formatter",
    "typing": "get_type_hints ForwardRef evaluate_forward_ref get_annotations",
    "zoneinfo": "reset_tzpath TZPATH InvalidTZPathWarning",
}


def _dataclass(module):
    original = module.dataclass

    # The name of a field becomes part of source text, and names the attribute that `asdict` and others read.
    slot = module.Field.name

    def name_field(field, name):
        if name is not None and not (type(name) is str and name.isidentifier() and _is_own(name)):
            raise breach("a field of a dataclass has a name that is none.")
        slot.__set__(field, name)

    if not isinstance(slot, property):
        module.Field.name = property(lambda field: slot.__get__(field), name_field)

    def check(cls):
        if not issubclass(type(cls), type):
            raise TypeError("dataclass() takes a class")
        return guarded.changeable(cls)

    def dataclass(cls=None, /, **options):
        make = original(**options)
        return (lambda given: make(check(given))) if cls is None else make(check(cls))

    return {"dataclass": dataclass}


def _is_own(name):
    """Whether an attribute of this name can be one that the code made."""
    if name.endswith(SUFFIX):
        return True
    try:
        check_attribute(name)
    except PolicyBreach:
        return False
    return True


def _copy(module):
    def set_state(value, name, new):
        # What is copied can name the state of its copy.
        if type(name) is not str or name.startswith("__"):
            raise breach("the state of a copy has a name that begins with two underscores.")
        setattr(guarded.changeable(value), name, new)

    module.setattr = set_state
    return {}


def _types(module):
    original = module.SimpleNamespace

    class SimpleNamespace(original):
        def __init__(self, given=(), /, **attributes):
            attributes = {**dict(given), **attributes}
            for name in attributes:
                # Libraries take methods of such names from the object.
                if type(name) is not str or name.startswith("__"):
                    raise breach("an attribute of a namespace has a name that begins with two underscores.")
            original.__init__(self, **attributes)

        def __repr__(self):
            return original.__repr__(self).replace("SimpleNamespace(", "namespace(", 1)

    return {"SimpleNamespace": SimpleNamespace}


def _enum(module):
    original = vars(module.EnumMeta)["_create_"]

    def create(cls, class_name, names, **options):
        # Members of an enumeration that is made by a call have names that no syntax check has seen.
        if type(names) is str:
            pairs = [(each, None) for each in names.replace(",", " ").split()]
            given = names
        else:
            # Copies: a text, list or tuple of a class of the code's own could be another one the next time.
            items = dict.items(names) if isinstance(names, dict) else names
            given = [each if type(each) is str else tuple(each) for each in items]
            pairs = [(each, None) if type(each) is str else each for each in given]
        for pair in pairs:
            if not pair or type(pair[0]) is not str or pair[0].startswith("_"):
                raise breach("a member of an enumeration has a name that begins with an underscore.")
        # Whose frame it is cannot be seen from there any more.
        return original(cls, class_name, given, **{"module": "__main__", **options})

    module.EnumMeta._create_ = create
    return {}


def _typing(module):
    def evaluate(*_arguments, **_options):
        raise breach("a text is not evaluated as a type.")

    for name in ("_evaluate", "evaluate"):
        if hasattr(module.ForwardRef, name):
            setattr(module.ForwardRef, name, evaluate)

    # The real one stands for `type` itself, also as a base class.
    class Type:
        def __class_getitem__(cls, item):
            return sys.modules["types"].GenericAlias(cls, item)

    return {"Type": Type}


def _functools(module):
    original = module.update_wrapper

    def update_wrapper(wrapper, wrapped):
        # Others than functions could have a look at each attribute that is copied.
        return original(wrapper, wrapped) if type(wrapper) is type(update_wrapper) else wrapper

    def wraps(wrapped):
        return lambda wrapper: update_wrapper(wrapper, wrapped)

    return {"update_wrapper": update_wrapper, "wraps": wraps}


def _operator(_module):
    return {"attrgetter": guarded.attrgetter, "methodcaller": guarded.methodcaller}


_REPLACED = {
    "copy": _copy,
    "dataclasses": _dataclass,
    "enum": _enum,
    "functools": _functools,
    "operator": _operator,
    "types": _types,
    "typing": _typing,
}
_facades: dict = {}
_OF_STRPTIME = "_strptime"


def import_module(name, _globals=None, _locals=None, fromlist=(), level=0):
    """`__import__` of inline code."""
    if level != 0 or type(name) is not str:
        raise breach("relative imports are not available.")
    if name == _OF_STRPTIME:
        # The interpreter's own `strptime` asks for it and takes it from the table of modules; no syntax leads here.
        __import__(name)
        return _Module(name)
    if name == "urllib" and tuple(fromlist or ()) == ("parse",):
        return _parent_of_parse()
    try:
        check_module(name)
    except PolicyBreach as error:
        raise breach(str(error)) from None
    if name.partition(".")[0] in names.LIBRARIES:
        return libraries.module(name, fromlist)
    if name == "urllib.parse":
        return _facade(name) if fromlist else _parent_of_parse()
    if name == "collections.abc" and not fromlist:
        return _facade("collections")
    return _facade(name)


def _facade(name):
    found = _facades.get(name)
    if found is None:
        found = _facades[name] = _make(name)
    return found


def _make(name):
    if name == "plinth_io":
        import io

        facade = _Module(name, "Files in memory.")
        facade.StringIO, facade.BytesIO = io.StringIO, io.BytesIO
        offered = ["StringIO", "BytesIO"]
        real = None
    else:
        real = _real(name)
        offered = _offered(name, real)
        facade = _Module(name, None)
        for each in offered:
            setattr(facade, each, getattr(real, each))
        replace = _REPLACED.get(name)
        for each, value in {} if replace is None else replace(real).items():
            setattr(facade, each, value)
        if name == "collections":
            facade.abc = _facade("collections.abc")

    def missing(attribute):
        if real is not None and hasattr(real, attribute):
            raise breach(f"the module '{name}' does not offer '{attribute[:100]}'.")
        raise AttributeError(f"module '{name}' has no attribute '{attribute[:100]}'")

    facade.__all__ = offered
    facade.__getattr__ = missing
    return facade


def _real(name):
    __import__(name)
    return sys.modules[name]


def _offered(name, real):
    only = _ONLY.get(name)
    if only is not None:
        wanted = only.split()
    else:
        wanted = [each for each in getattr(real, "__all__", None) or vars(real) if not each.startswith("_")]
    hidden = _HIDDEN.get(name, "").split()
    return [each for each in wanted if each not in hidden and hasattr(real, each) and _is_harmless(getattr(real, each), each)]


def _is_harmless(value, name):
    """Neither a module nor one of the built-ins that inline code does not have."""
    if isinstance(value, _Module):
        return False
    return name not in names.REMOVED_BUILTINS or value is not getattr(builtins, name, None)


def _parent_of_parse():
    found = _facades.get("urllib")
    if found is None:
        found = _facades["urllib"] = _Module("urllib", None)
        found.parse = _facade("urllib.parse")
    return found
