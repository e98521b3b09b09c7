"""
The conversation with the host: hello, load, invoke; one call at a time, in the main thread.

S1 A call has exactly one `result` or `failure`, and it is sent after the user code of the call is over.
S2 Nothing that user code does (exit, raise, print) makes a result; only the value that it returns does.
S3 The process ends when the host is gone, whatever threads there are.
"""

import sys
from posix import _exit, closerange

from .host_calls import CallEnded, HostCalls
from .json_text import loads
from .limits import PROTOCOL_VERSION
from .wire import HostGone, Wire

_OBSERVED = {"heapBytes": 0, "observedTime": True, "observedRandom": True}
_CONTROL_FD = 3
_INHERITED_FDS_MAX = 1024


def main(arguments):
    wire = Wire(*_control(arguments))
    code = 1
    try:
        Runner(wire).serve()
    except HostGone:
        code = 0
    finally:
        _exit(code)


def _control(arguments):
    for argument in arguments:
        if argument.startswith("--control="):
            read_fd, _, write_fd = argument[len("--control=") :].partition(",")
            return int(read_fd), int(write_fd)
    # What the host itself inherited from its own parent may have come along.
    closerange(_CONTROL_FD + 1, _INHERITED_FDS_MAX)
    return _CONTROL_FD, _CONTROL_FD


class Runner:
    def __init__(self, wire):
        self._wire = wire
        self._heap_bytes = 0
        self._package = None

    def serve(self):
        while True:
            envelope, body = self._wire.receive()
            handle = getattr(self, "_on_" + envelope["type"], None)
            # A reply or cancel of a call that is over is late, not wrong.
            if handle is not None:
                handle(envelope, body)

    def _on_hello(self, envelope, _body):
        self._heap_bytes = envelope["heapBytes"]
        engine = "cpython " + ".".join(str(part) for part in sys.version_info[:3])
        self._wire.send({"type": "ready", "protocol": PROTOCOL_VERSION, "runtime": "python", "engine": engine})

    def _on_load(self, envelope, body):
        version = envelope["version"]
        try:
            load = loads(body)
            names = load["functions"]
            if names:
                from .package import Package, prepare_process

                prepare_process(self._heap_bytes)
                self._package = Package.load(names)
            else:
                # Inline code: a process that waits for its call has everything it needs.
                from .inline import run as _run  # noqa: F401

                if load.get("modules"):
                    self._prepare_libraries(load["modules"])
        except HostGone:
            raise
        except BaseException as error:
            self._wire.send({"type": "loadFailed", "version": version}, _load_failure(error))
        else:
            self._wire.send({"type": "loaded", "version": version})

    def _prepare_libraries(self, modules):
        from .inline import libraries
        from .memory import limit_memory
        from .package import site_packages

        limit_memory(self._heap_bytes)
        libraries.prepare(modules, site_packages())

    def _on_invoke(self, envelope, body):
        call = envelope["call"]
        calls = HostCalls(self._wire, call, envelope["limits"]["pendingHostCalls"])
        try:
            kind, answer = self._run(envelope, body, calls)
        finally:
            calls.close()
        if calls.ended is not None:
            kind, answer = "timeout", _failure_of(CallEnded(calls.ended))
        if kind == "result":
            self._wire.send({"type": "result", "call": call, **_OBSERVED}, answer)
        else:
            self._wire.send({"type": "failure", "call": call, "kind": kind, **_OBSERVED}, answer)

    def _run(self, envelope, body, calls):
        """Returns `result` or the kind of failure, and its body."""
        kind = envelope["kind"]
        if kind == "inline":
            from .inline.run import run_inline

            from .logs import LogSink

            limits = envelope["limits"]
            sink = LogSink(self._wire, envelope["call"], limits["logLines"], limits["logLineBytes"])
            outcome, answer, output = run_inline(envelope, body, self._heap_bytes, sink.line)
            if outcome != "result" and not output.streams:
                self._send_output(sink, output)
            sink.close()
            return outcome, answer
        if self._package is None:
            return "error", _failure_of(RuntimeError("the version of this call is not loaded"))
        if kind == "analyze":
            return "result", self._package.analysis()
        if kind != "handler":
            return "error", _failure_of(RuntimeError(f"the Python runtime runs handlers and inline code, not a {kind}"))
        from .handler import run_handler

        return run_handler(self._wire, self._package, envelope, body, calls)


    def _send_output(self, sink, output):
        """Code that fails has no result to hold what it printed, so that goes as console lines."""
        streams = (("log", output.stdout.text()), ("error", output.stderr.text()))
        for level, text in streams:
            for line in text.splitlines():
                sink.line(level, line)


def _load_failure(error):
    from .package import LoadError, failure_of

    if isinstance(error, LoadError):
        return _failure_of(error, str(error))
    return failure_of(error)


def _failure_of(error, message=None):
    from .failures import failure_body, message_of

    return failure_body(message_of(error) if message is None else message)
