"""
Packages that inline code may import besides the standard library: the modules that its bundle names, and what lies below them.

Code sees each module through a facade: no other module can be reached through it, and none of the built-ins that inline code does not
have. The packages themselves run as any Python in the jail does.
"""

import builtins
import sys

from . import names
from .breach import breach

_Module = type(sys)
_getattr, _issubclass, _type = getattr, issubclass, type
_facades: dict = {}


def prepare(modules, folder):
    """Lets inline code import `modules`, which lie in `folder`, and imports them: whoever waits for a call has them then."""
    sys.path.append(folder)
    names.LIBRARIES.update(name for name in modules if may_be_offered(name))
    for name in sorted(names.LIBRARIES):
        try:
            __import__(name)
        except BaseException:  # noqa: S112  (the code that imports it gets the error itself)
            continue


def may_be_offered(name):
    """The interpreter finds its own one first."""
    return not (name in sys.stdlib_module_names or name in names.ALLOWED_MODULES or name in names.BLOCKED_MODULES)


def module(name, fromlist):
    """What `import name` and `from name import …` give to inline code."""
    __import__(name)
    for each in fromlist or ():
        if _type(each) is str and each != "*" and not hasattr(sys.modules[name], each):
            _try_import(f"{name}.{each}")
    return _facade(name if fromlist else name.partition(".")[0])


def _try_import(name):
    try:
        __import__(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise


def _facade(name):
    found = _facades.get(name)
    if found is None:
        found = _facades[name] = _make(name)
    return found


def _make(name):
    real = sys.modules[name]
    facade = _Module(name, None)

    def get(attribute):
        if attribute == "__all__":
            return _public(real)
        if attribute.startswith("__"):
            raise AttributeError(f"module '{name}' has no attribute '{attribute[:100]}'")
        try:
            value = _getattr(real, attribute)
        except AttributeError:
            # The interpreter would look into the table of modules next.
            if f"{name}.{attribute}" in sys.modules:
                return _facade(f"{name}.{attribute}")
            raise
        return _offered(value, name, attribute)

    facade.__getattr__ = get
    return facade


def _offered(value, name, attribute):
    if _issubclass(_type(value), _Module):
        own = value.__name__
        if sys.modules.get(own) is value and own.partition(".")[0] in names.LIBRARIES:
            return _facade(own)
    elif not any(value is _getattr(builtins, each, None) for each in names.REMOVED_BUILTINS):
        return value
    raise breach(f"the module '{name}' does not offer '{attribute[:100]}'.")


def _public(real):
    listed = _getattr(real, "__all__", None)
    wanted = vars(real) if listed is None else listed
    return [each for each in wanted if _type(each) is str and not each.startswith("_") and _is_offered(_getattr(real, each, None))]


def _is_offered(value):
    if _issubclass(_type(value), _Module):
        return False
    return not any(value is _getattr(builtins, each, None) for each in names.REMOVED_BUILTINS)
