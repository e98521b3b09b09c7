"""Runs one call of a handler: `run([event])`, plain or async, and turns what comes of it into a result or a failure."""

import json
import os

import plinth

from . import logs
from .failures import failure_body, message_of, retry_of, stack_of
from .host_calls import CallEnded
from .package import root
from .wire import HostGone

_encoder = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


class NeverResolves(BaseException):
    """The awaited thing can never happen."""


class UnsendableResult(Exception):
    """The result of a handler is not JSON."""


def run_handler(wire, package, envelope, body, calls):
    limits = envelope["limits"]
    function = package.function(envelope["path"])
    if function is None:
        return "error", failure_body(f"The package has no function '{envelope['path'][:200]}'.")
    sink = logs.LogSink(wire, envelope["call"], limits["logLines"], limits["logLineBytes"])
    logs.STDOUT.sink = logs.STDERR.sink = sink
    os.environ.clear()
    os.environ.update(envelope["env"])
    plinth._open(calls, envelope["requestId"])
    try:
        value = function(json.loads(body))
        if hasattr(value, "__await__"):
            from .async_loop import run_async

            value = run_async(value, calls)
        return "result", _result_text(value, limits["resultBytes"])
    except HostGone:
        raise
    except BaseException as error:
        return _failed(error)
    finally:
        plinth._close()
        logs.STDOUT.end_call()
        logs.STDERR.end_call()
        sink.close()


def _failed(error):
    if isinstance(error, CallEnded):
        return "timeout", failure_body(f"The call was ended: {error.reason}.")
    if isinstance(error, MemoryError):
        # What filled the memory hangs on the frames.
        error.__traceback__ = None
        return "outOfMemory", failure_body("MemoryError: the handler used more memory than it may.")
    if isinstance(error, NeverResolves):
        return "neverResolves", failure_body("The handler waits for something that can never happen.")
    return "error", failure_body(message_of(error), stack_of(error, root()), retry_of(error))


def _result_text(value, bytes_max):
    try:
        text = _encoder.encode(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise UnsendableResult(f"The result cannot be sent as JSON: {_why(error)}.") from None
    try:
        data = text.encode()
    except UnicodeEncodeError:
        # Half a surrogate pair has no UTF-8; as an escape it is JSON.
        data = json.dumps(value, allow_nan=False).encode()
    if len(data) > bytes_max:
        raise UnsendableResult(f"The result has {len(data)} bytes and may have {bytes_max}.")
    return data


def _why(error):
    if isinstance(error, RecursionError):
        return "it nests too deeply"
    text = str(error)
    if "Out of range float" in text:
        return "it holds NaN or an infinity, which JSON does not have"
    if "Circular" in text:
        return "it contains itself"
    if "is not JSON serializable" in text:
        return text.replace("Object of type", "a value of type").replace("is not JSON serializable", "has no JSON form; turn it into text or numbers")
    return text
