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

__all__ = ["HostCallError", "Response", "emit", "fetch", "fetch_async", "request_id", "save_artefact"]

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
