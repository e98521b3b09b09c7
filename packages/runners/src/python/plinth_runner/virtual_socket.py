"""
HTTP libraries without a network: what they take for a connection collects one HTTP/1.1 request, asks the host to perform
it, and reads as its response. Each connection says that it closes after one exchange, so that none is kept.
"""

import base64
import io

_HEADER_BYTES_MAX = 256 * 1024
# The host makes these itself, or they belong to the one connection that there is not.
_NOT_SENT = {"host", "content-length", "transfer-encoding", "connection", "upgrade", "keep-alive", "te", "trailer", "expect"}
_NOT_RECEIVED = {"content-length", "transfer-encoding", "connection", "keep-alive"}


class VirtualSocket:
    """As much of a socket as HTTP clients use."""

    family = 2
    type = 1
    proto = 6

    def __init__(self, host, port):
        self._host = host
        self._port = port
        self._tls = False
        self._sent = bytearray()
        self._response = None
        self._timeout = None

    def start_tls(self, server_hostname):
        self._tls = True
        if server_hostname:
            self._host = server_hostname
        return self

    def sendall(self, data, _flags=0):
        self._sent += data
        # A refusal has to come while the request is sent: libraries take it for a connection that fails.
        if self._response is None and _is_whole(self._sent):
            self._reader()

    def send(self, data, _flags=0):
        self.sendall(data)
        return len(data)

    def recv(self, count, _flags=0):
        return self._reader().read(count)

    def recv_into(self, buffer, count=0, _flags=0):
        return self._reader().readinto(memoryview(buffer)[: count or None])

    def makefile(self, _mode="r", _buffering=None, **_options):
        return _Lazy(self)

    def _reader(self):
        if self._response is None:
            method, url, headers, body = _parse_request(bytes(self._sent), self._tls, self._host, self._port)
            self._response = io.BytesIO(_exchange(method, url, headers, body))
        return self._response

    def settimeout(self, timeout):
        self._timeout = timeout

    def gettimeout(self):
        return self._timeout

    def setblocking(self, _blocking):
        return None

    def setsockopt(self, *_arguments):
        return None

    def getpeername(self):
        return (self._host, self._port)

    def getsockname(self):
        return ("0.0.0.0", 0)

    def fileno(self):
        return -1

    def shutdown(self, _how):
        return None

    def close(self):
        return None

    def version(self):
        return "TLSv1.3" if self._tls else None

    def selected_alpn_protocol(self):
        return "http/1.1" if self._tls else None

    def getpeercert(self, binary_form=False):
        return b"" if binary_form else {}

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        return None


class _Lazy(io.RawIOBase):
    """The response as a file; the request is performed at the first read."""

    def __init__(self, sock):
        super().__init__()
        self._sock = sock

    def readable(self):
        return True

    def readinto(self, buffer):
        return self._sock._reader().readinto(buffer)

    def readline(self, size=-1):
        return self._sock._reader().readline(size)

    def read(self, size=-1):
        return self._sock._reader().read(size)

    def read1(self, size=-1):
        return self._sock._reader().read1(size)

    def peek(self, _size=0):
        reader = self._sock._reader()
        return reader.getvalue()[reader.tell() :]


def _is_whole(data):
    """Whether all of a request was written, as far as its headers say."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return False
    for line in bytes(data[:end]).lower().split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name == b"content-length" and value.strip().isdigit():
            return len(data) - end - 4 >= int(value)
        if name == b"transfer-encoding":
            return data.endswith(b"\r\n0\r\n\r\n")
    return True


def _parse_request(data, tls, host, port):
    head, separator, rest = data.partition(b"\r\n\r\n")
    if not separator or len(head) > _HEADER_BYTES_MAX:
        raise OSError("Only whole HTTP requests can leave; this connection was read before one was written.")
    lines = head.decode("latin-1").split("\r\n")
    parts = lines[0].split(" ")
    if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
        raise OSError("Only HTTP/1.1 requests can leave.")
    headers = []
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon:
            raise OSError("A header of the request is malformed.")
        headers.append((name.strip(), value.strip()))
    values = {name.lower(): value for name, value in headers}
    body = _unchunked(rest) if "chunked" in values.get("transfer-encoding", "").lower() else rest
    target = parts[1]
    if not target.startswith(("http://", "https://")):
        shown = f"[{host}]" if ":" in host else host
        usual = 443 if tls else 80
        target = f"{'https' if tls else 'http'}://{shown}{'' if port == usual else f':{port}'}{target}"
    return parts[0], target, [pair for pair in headers if pair[0].lower() not in _NOT_SENT], body


def _unchunked(data):
    pieces = []
    at = 0
    while True:
        end = data.find(b"\r\n", at)
        if end < 0:
            raise OSError("The chunks of the request are malformed.")
        size = int(data[at:end].split(b";")[0], 16)
        if size == 0:
            return b"".join(pieces)
        pieces.append(data[end + 2 : end + 2 + size])
        at = end + 2 + size + 2


def _exchange(method, url, headers, body):
    import plinth

    request = {
        "url": url,
        "method": method,
        "headers": [list(pair) for pair in headers],
        "bodyBase64": base64.b64encode(body).decode() if body else None,
        "redirect": "manual",
    }
    try:
        answer = plinth._open_calls().ask("plinth/fetch", request)
    except plinth.HostCallError as error:
        # What a library knows how to handle: a connection that fails.
        raise ConnectionError(str(error)) from None
    content = base64.b64decode(answer["bodyBase64"])
    lines = [f"HTTP/1.1 {answer['status']} {answer['statusText']}"]
    lines += [f"{name}: {value}" for name, value in answer["headers"] if name.lower() not in _NOT_RECEIVED]
    lines += [f"content-length: {len(content)}", "connection: close", "", ""]
    return "\r\n".join(lines).encode("latin-1", "replace") + content


def _create_connection(address, *_arguments, **_options):
    return VirtualSocket(address[0], address[1])


def patch_socket(module):
    module.create_connection = _create_connection


def patch_urllib3(module):
    module.create_connection = _create_connection


def patch_ssl(module):
    original = module.SSLContext.wrap_socket

    def wrap_socket(self, sock, *arguments, **options):
        if isinstance(sock, VirtualSocket):
            return sock.start_tls(options.get("server_hostname"))
        return original(self, sock, *arguments, **options)

    module.SSLContext.wrap_socket = wrap_socket
