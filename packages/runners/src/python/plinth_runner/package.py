"""The functions of a package: found in its folder, imported, and told to the host."""

import importlib
import json
import os
import re
import sys

from . import after_import, logs
from .failures import failure_body, message_of, stack_of

_FOLDER = "/package"
_FOLDER_VARIABLE = "PLINTH_PACKAGE_FOLDER"
_NAME = re.compile(r"[A-Za-z0-9_-]{1,128}")
_ANY = '{"type":"any"}'
_SHOWN_MISSING_MAX = 20


class LoadError(Exception):
    """The package cannot be loaded; the text says why."""


# Without a jail there is no `/package`, and tests name the folder. Calls have an environment of their own, so it is read now.
_PACKAGE = _FOLDER if os.path.isdir(_FOLDER) else os.environ.get(_FOLDER_VARIABLE, _FOLDER)
_CODE = os.path.join(_PACKAGE, "code")


def root():
    """The package's folder as the beginning of file names, which user code does not see."""
    return _PACKAGE.rstrip("/") + "/"


def site_packages():
    """Where the packages lie that a package, or inline code, brought with it."""
    return os.path.join(_CODE, "site-packages")


def failure_of(error):
    return failure_body(message_of(error), stack_of(error, root()))


def prepare_process(heap_bytes):
    """What a process that runs handlers needs before their modules are imported."""
    from .memory import limit_memory

    limit_memory(heap_bytes)
    logs.install()
    for folder, at in ((_CODE, 0), (site_packages(), len(sys.path))):
        if folder not in sys.path:
            sys.path.insert(at, folder)
    after_import.install()


class Package:
    def __init__(self, functions):
        self._functions = functions

    @classmethod
    def load(cls, names):
        if not os.path.isdir(_CODE):
            raise LoadError("The package has no folder 'code'.")
        factory = _factory()
        found = {name: _function(name, factory) for name in names}
        missing = [name for name, function in found.items() if function is None]
        if missing:
            shown = ", ".join(missing[:_SHOWN_MISSING_MAX]) + (", …" if len(missing) > _SHOWN_MISSING_MAX else "")
            where = "function_factory of code/function_factory.py" if factory is not None else "code/functions"
            raise LoadError(f"The manifest declares functions that {where} does not have: {shown}.")
        for name, function in found.items():
            if not callable(function):
                raise LoadError(f"The function '{name}' cannot be called: it is a {type(function).__name__}.")
        return cls(found)

    def function(self, name):
        return self._functions.get(name)

    def analysis(self):
        functions = [
            {"path": name, "kind": "handler", "visibility": "public", "args": _ANY, "returns": _ANY} for name in self._functions
        ]
        return json.dumps({"functions": functions, "schema": None, "crons": None, "httpRoutes": []}).encode()


def _factory():
    if not os.path.isfile(os.path.join(_CODE, "function_factory.py")):
        return None
    factory = getattr(importlib.import_module("function_factory"), "function_factory", None)
    if not isinstance(factory, dict):
        raise LoadError("code/function_factory.py has no dict named 'function_factory'.")
    return factory


def _function(name, factory):
    if factory is not None:
        return factory.get(name)
    if _NAME.fullmatch(name) is None:
        return None
    base = os.path.join(_CODE, "functions", name)
    if not os.path.isfile(base + ".py") and not os.path.isfile(os.path.join(base, "__init__.py")):
        return None
    return getattr(importlib.import_module("functions." + name), "run", None)
