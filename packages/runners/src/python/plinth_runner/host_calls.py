"""The host calls of the open call: their numbers, who waits for which, and the end that the host asks for."""

from _thread import allocate_lock

from .json_text import loads


class CallEnded(BaseException):
    """The host asked for the end of the call (`timeout` or `cancelled`). No `except Exception` stops it."""

    def __init__(self, reason):
        super().__init__(reason)
        self.reason = reason


class HostCallError(Exception):
    """The host refused a call, or could not perform it."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


class HostCalls:
    """Host calls of one invocation. A call that is over refuses more of them."""

    def __init__(self, wire, call, pending_max):
        self._wire = wire
        self._call = call
        self._pending_max = pending_max
        self._next_id = 0
        self._state = allocate_lock()
        self._reading = allocate_lock()
        self._answers = {}
        self._waiting = set()
        self._listeners = {}
        self.ended = None
        self.closed = False

    @property
    def pending(self):
        return len(self._waiting)

    @property
    def read_fd(self):
        return self._wire.read_fd

    def begin(self, op, argument, on_answer=None):
        """Sends a call and returns its number. `on_answer(ok, body)` is called by whoever reads the answer."""
        import json

        body = json.dumps(argument, allow_nan=False).encode()
        with self._state:
            if self.closed:
                raise HostCallError("EffectDenied", "The call is over; it can ask the host for nothing more.")
            if self.ended is not None:
                raise CallEnded(self.ended)
            if len(self._waiting) >= self._pending_max:
                raise HostCallError("LimitExceeded", f"More than {self._pending_max} host calls wait at the same time.")
            number = self._next_id
            self._next_id += 1
            self._waiting.add(number)
            if on_answer is not None:
                self._listeners[number] = on_answer
        self._wire.send({"type": "call", "call": self._call, "id": number, "op": op}, body)
        return number

    def ask(self, op, argument):
        """Sends a call and waits for its answer."""
        number = self.begin(op, argument)
        while True:
            with self._reading:
                if self.ended is not None:
                    raise CallEnded(self.ended)
                answer = self._answers.pop(number, None)
                if answer is None:
                    self.read_one()
                    answer = self._answers.pop(number, None)
            if answer is not None:
                return decode_answer(*answer)

    def read_one(self):
        """Reads one frame of the host and hands it to who waits for it."""
        envelope, body = self._wire.receive()
        kind = envelope["type"]
        if envelope.get("call") != self._call:
            return
        if kind == "cancel":
            self.ended = envelope["reason"]
        elif kind == "reply":
            number = envelope["id"]
            with self._state:
                if number not in self._waiting:
                    return
                self._waiting.discard(number)
                listener = self._listeners.pop(number, None)
            if listener is None:
                self._answers[number] = (envelope["ok"], body)
            else:
                listener(envelope["ok"], body)

    def read_ready(self):
        """Reads the frame that has begun to arrive, unless another thread is at it."""
        if self._reading.acquire(blocking=False):
            try:
                self.read_one()
            finally:
                self._reading.release()

    def close(self):
        with self._state:
            self.closed = True


def decode_answer(ok, body):
    value = loads(body)
    if ok:
        return value
    raise HostCallError(str(value.get("code", "")), str(value.get("message", "")))
