"""
What a handler can ask of Plinth. HTTP libraries (`urllib.request`, `http.client`, `requests`) work too: their requests
become the same host call.

    import plinth

    def run(events):
        answer = plinth.fetch("https://example.com/api", method="POST", json={"id": events[0]["payload"]["id"]})
        return answer.json()
"""

import base64
import json as _json

from plinth_runner.host_calls import HostCallError, decode_answer

__all__ = ["HostCallError", "Response", "ValueWriter", "emit", "fetch", "fetch_async", "read_value", "request_id", "save_artefact", "write_value"]

_PIECE_BYTES = 1_048_576

_calls = None
_request_id = ""


class Response:
    """The answer of a request."""

    def __init__(self, fields):
        self.url = fields["url"]
        self.status = fields["status"]
        self.status_text = fields["statusText"]
        self.headers = {}
        for name, value in fields["headers"]:
            key = name.lower()
            self.headers[key] = f"{self.headers[key]}, {value}" if key in self.headers else value
        self.header_list = [tuple(pair) for pair in fields["headers"]]
        self.redirected = fields["redirected"]
        self.body = base64.b64decode(fields["bodyBase64"])

    @property
    def ok(self):
        return 200 <= self.status < 300

    def text(self):
        return self.body.decode("utf-8", "replace")

    def json(self):
        return _json.loads(self.body)


def fetch(url, method=None, headers=None, body=None, json=None, redirect="follow"):
    """Sends an HTTP request through the host and waits for the answer. Raises HostCallError when the host refuses it."""
    return Response(_open_calls().ask("plinth/fetch", _fetch_request(url, method, headers, body, json, redirect)))


async def fetch_async(url, method=None, headers=None, body=None, json=None, redirect="follow"):
    """The same for async handlers; others run while it waits."""
    return Response(await call_async("plinth/fetch", _fetch_request(url, method, headers, body, json, redirect)))


def emit(value):
    """Sends a partial result to those who stream the invocation."""
    _open_calls().ask("plinth/emit", {"value": value})


def save_artefact(name, body, content_type="application/octet-stream"):
    """Keeps a file (text or bytes) with the result of the call; it is listed in the record of the invocation."""
    data = body.encode() if isinstance(body, str) else bytes(body)
    argument = {"name": name, "contentType": content_type, "bodyBase64": base64.b64encode(data).decode()}
    _open_calls().ask("plinth/saveArtefact", argument)


def read_value(handle, start=0):
    """
    The bytes of a value in order, up to 1 MiB at a time: of an input that `open` of the step names, or of a value that was written.
    Raises HostCallError before the last piece when they are not what was stored.
    """
    offset = start
    while True:
        piece = _open_calls().ask("plinth/readValue", {"handle": handle["valueHandle"], "offset": offset, "bytes": _PIECE_BYTES})
        body = base64.b64decode(piece["bodyBase64"])
        if body:
            yield body
        if piece["done"]:
            return
        offset += len(body)


class ValueWriter:
    """A value that is written by pieces: `write` as for files, then `finish`, whose handle the result of the call may hold."""

    def __init__(self, content_type="application/octet-stream"):
        self._writer = _open_calls().ask("plinth/beginValue", {"contentType": content_type})["writer"]
        self._offset = 0
        self._held = bytearray()

    def write(self, data):
        data = data.encode() if isinstance(data, str) else memoryview(data).cast("B")
        for at in range(0, len(data), _PIECE_BYTES):
            self._held += data[at : at + _PIECE_BYTES]
            if len(self._held) >= _PIECE_BYTES:
                self._send(_PIECE_BYTES)
        return len(data)

    def finish(self):
        if self._held:
            self._send(len(self._held))
        return _open_calls().ask("plinth/finishValue", {"writer": self._writer})

    def _send(self, count):
        body = bytes(self._held[:count])
        del self._held[:count]
        argument = {"writer": self._writer, "offset": self._offset, "bodyBase64": base64.b64encode(body).decode()}
        _open_calls().ask("plinth/writeValue", argument)
        self._offset += count


def write_value(pieces, content_type="application/octet-stream"):
    """Stores what an iterable of texts or bytes gives, up to 1 GiB; returns its handle when it is durable."""
    writer = ValueWriter(content_type)
    for piece in pieces:
        writer.write(piece)
    return writer.finish()


def request_id():
    """The id of the running call."""
    return _request_id


async def call_async(op, argument):
    import asyncio

    loop = asyncio.get_running_loop()
    future = loop.create_future()

    def on_answer(ok, body):
        loop.call_soon_threadsafe(lambda: None if future.done() else future.set_result((ok, body)))

    calls = _open_calls()
    # A loop that the handler made itself does not listen to the host yet.
    loop.add_reader(calls.read_fd, calls.read_ready)
    calls.begin(op, argument, on_answer)
    return decode_answer(*await future)


def _fetch_request(url, method, headers, body, json, redirect):
    pairs = list(headers.items()) if isinstance(headers, dict) else [tuple(pair) for pair in headers or ()]
    if json is not None:
        body = _json.dumps(json, allow_nan=False)
        if not any(name.lower() == "content-type" for name, _ in pairs):
            pairs.append(("content-type", "application/json"))
    data = body.encode() if isinstance(body, str) else body
    return {
        "url": str(url),
        "method": method or ("GET" if data is None else "POST"),
        "headers": [[str(name), str(value)] for name, value in pairs],
        "bodyBase64": None if data is None else base64.b64encode(data).decode(),
        "redirect": redirect,
    }


def _open_calls():
    if _calls is None:
        raise HostCallError("EffectDenied", "Only a running call can ask the host.")
    return _calls


def _open(calls, request_id):
    global _calls, _request_id
    _calls, _request_id = calls, request_id


def _close():
    global _calls
    _calls = None
