"""Changes to modules of the standard library and of packages, made when and if they are imported."""

import sys

_installed = False


def _logging(module):
    from . import logs

    logs.patch_logging(module)


def _socket(module):
    from . import virtual_socket

    virtual_socket.patch_socket(module)


def _ssl(module):
    from . import virtual_socket

    virtual_socket.patch_ssl(module)


def _urllib3(module):
    from . import virtual_socket

    virtual_socket.patch_urllib3(module)


def _selector_events(module):
    from . import wake_pipe

    wake_pipe.patch_selector_events(module)


_PATCHES = {
    "asyncio.selector_events": _selector_events,
    "logging": _logging,
    "socket": _socket,
    "ssl": _ssl,
    "urllib3.util.connection": _urllib3,
}


class _Finder:
    """Finds the modules above like everybody else does, and adds a step after they ran."""

    def find_spec(self, name, path=None, target=None):
        patch = _PATCHES.get(name)
        if patch is None:
            return None
        for finder in sys.meta_path:
            spec = None if finder is self else finder.find_spec(name, path, target)
            if spec is not None and spec.loader is not None:
                _run_after(spec.loader, patch)
                return spec
        return None


def _run_after(loader, patch):
    run = loader.exec_module

    def exec_module(module):
        run(module)
        patch(module)

    loader.exec_module = exec_module


def install():
    """Patches what is there already, and the rest when it comes."""
    global _installed
    if _installed:
        return
    _installed = True
    sys.meta_path.insert(0, _Finder())
    for name, patch in _PATCHES.items():
        if name in sys.modules:
            patch(sys.modules[name])
