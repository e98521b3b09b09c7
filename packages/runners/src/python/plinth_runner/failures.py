"""
What user code threw, as a RunnerFailure: texts are bounded, paths are those of the package, and an exception that
misbehaves when it is looked at is replaced by what is known of it.
"""

from .json_text import dumps
from .limits import FAILURE_MESSAGE_CHARS_MAX, FAILURE_STACK_CHARS_MAX

_FRAMES_MAX = 100
# Where the runner's files lay when they were compiled, which may not be where they lie now.
_OWN = (lambda: None).__code__.co_filename.rpartition("/plinth_runner/")[0] + "/"
_HIDDEN = (_OWN, "<frozen importlib")
_CUT = "…"


def failure_body(message, stack="", retry=None):
    body = {"message": bounded(message, FAILURE_MESSAGE_CHARS_MAX)}
    if stack:
        body["stack"] = bounded(stack, FAILURE_STACK_CHARS_MAX)
    if retry is not None:
        body["retry"] = {"refresh": retry}
    return dumps(body).encode()


def bounded(text, units_max):
    """Text of at most `units_max` UTF-16 units, which is how the host counts."""
    if len(text) * 2 <= units_max:
        return text
    data = text[: units_max + 1].encode("utf-16-le", "surrogatepass")
    if len(data) <= units_max * 2:
        return text
    return data[: units_max * 2 - 2].decode("utf-16-le", "ignore") + _CUT


def name_of(error):
    """The name of an exception's class, as Python itself keeps it."""
    kind = type(error)
    try:
        name = type.__dict__["__name__"].__get__(kind)
    except Exception:
        return "Exception"
    return name if type(name) is str else "Exception"


def message_of(error):
    """`Type: message`. A hostile `__str__` may run here; it is user code within the limits of the call."""
    name = name_of(error)
    try:
        text = str(error)
        text = text if type(text) is str else str.__str__(text)
    except BaseException as other:
        text = f"<its text cannot be had: {name_of(other)}>"
    return f"{name}: {text}" if text else name


def stack_of(error, root=None):
    """The frames of user code, last call first; the runner's own are left out. `root` is the folder of the package."""
    lines = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        path = _shown_path(code.co_filename, root)
        if path is not None:
            lines.append(f"    at {code.co_name} ({path}:{trace.tb_lineno})")
            if len(lines) > _FRAMES_MAX:
                del lines[_FRAMES_MAX // 2]
        trace = trace.tb_next
    return "\n".join(reversed(lines))


def _shown_path(filename, root):
    if root is not None and filename.startswith(root):
        return filename[len(root) :]
    if filename.startswith(_HIDDEN):
        return None
    return filename if filename.startswith("<") else "python" + filename[filename.rfind("/") :]


def retry_of(error):
    """Whether a FunctionExecutionError asks to be run again, with a rebuilt event or not; told by its attributes."""
    try:
        if getattr(error, "retry", None) is not True:
            return None
        return getattr(error, "refresh", None) is True
    except BaseException:
        return None
