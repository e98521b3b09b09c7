"""
Runs inline code: prepares it, runs it in a world of its own, and reads its result. Asked to check code, it runs none.

R1 Values cross as data: the code is never put together from texts of others.
R2 A process runs one piece of inline code; what the code changed in it ends with it.
R3 What the code prints is output, whatever it looks like; the result goes over the control channel alone.
"""

import sys

from ..failures import failure_body, message_of, stack_of
from ..json_text import dumps, loads
from ..limits import INLINE_MEMORY_BYTES_MAX, INLINE_WALL_MS_MAX
from ..memory import limit_memory
from .breach import PolicyBreach, first_breach
from .facades import import_module
from .guarded import restricted_builtins
from .output import Output
from .prepare import prepare, syntax_message
from .rewrite import as_written
from .result_text import ResultWriter, Unsendable
from .scan import Unrunnable

_exec, _eval = exec, eval
_used: list = []


def run_inline(envelope, body, heap_bytes, tell=None):
    """Returns `result` or the kind of failure, its body, and what the code printed; `tell` hears of that by lines if the call asks so."""
    output = Output()
    kind, answer = _run(envelope["limits"], body, (heap_bytes, tell), output)
    output.end()
    return kind, answer, output


def _run(limits, body, host, output):
    heap_bytes, tell = host
    if _used:
        return "lost", failure_body("A process runs inline code once.")
    _used.append(True)
    if limits["wallMs"] > INLINE_WALL_MS_MAX:
        return "invalid", failure_body(f"Inline code may run for {INLINE_WALL_MS_MAX} ms, not for {limits['wallMs']}.")
    limit_memory(min(heap_bytes, INLINE_MEMORY_BYTES_MAX))
    try:
        given = loads(body)
        if tell is not None and given.get("streams") is True:
            output.stream_to(tell)
        if "check" in given:
            from .check import check_all

            return "result", dumps({"value": {"findings": check_all(given["check"])}}).encode()
        program, last = prepare(given["code"])
    except Unrunnable as error:
        return "invalid", failure_body(str(error))
    except PolicyBreach as error:
        return "policy", failure_body(str(error))
    except (MemoryError, RecursionError):
        return "invalid", failure_body("The code is too deep or too large to be parsed.")
    except (SyntaxError, ValueError) as error:
        return "error", failure_body(syntax_message(error))
    try:
        value = _value_of(program, last, given, output)
        answer = _answer(value, limits["resultBytes"], output)
    except BaseException as error:
        kind, answer = _failed(error)
    else:
        kind = "result"
    if first_breach() is not None:
        return "policy", failure_body(first_breach())
    return kind, answer


def _value_of(program, last, given, output):
    module = type(sys)("__main__")
    world = vars(module)
    world["__builtins__"] = restricted_builtins(output.stdout, import_module)
    world["inputs"] = given["inputs"]
    world["keyrings"] = given["keyrings"]
    # Classes look for their module here; it must be the code's own, not the runner's.
    sys.modules["__main__"] = module
    sys.stdout, sys.stderr = output.stdout, output.stderr
    _exec(program, world)
    value = None if last is None else _eval(last, world)
    if "result" in world:
        return world["result"]
    return world.get("output", value)


def _answer(value, bytes_max, output):
    writer = ResultWriter(bytes_max)
    text = writer.text(value)
    truncated = "true" if writer.cut or output.truncated else "false"
    parts = f',"stdout":{dumps(output.stdout.text())},"stderr":{dumps(output.stderr.text())},"truncated":{truncated}'
    return ('{"result":' + text + parts + "}").encode()


def _failed(error):
    if isinstance(error, PolicyBreach):
        return "policy", failure_body(str(error))
    if isinstance(error, MemoryError):
        # What filled the memory hangs on the frames.
        error.__traceback__ = None
        return "outOfMemory", failure_body("MemoryError: the code used more memory than it may.")
    if isinstance(error, Unsendable):
        return "error", failure_body(str(error))
    return "error", failure_body(as_written(message_of(error)), as_written(stack_of(error)))
