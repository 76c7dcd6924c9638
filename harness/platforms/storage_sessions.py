"""How the harness itself speaks with cache and object store: just enough to measure a path."""

from harness.platforms.wire import GarbledError, Wire

_REPEAT = "return string.rep('x', ARGV[1])"


class RedisSession:
    """RESP: PING for a round trip, a string made by the server for a bulk answer."""

    def __init__(self, wire: Wire, password: str) -> None:
        self._wire = wire
        self._expect(b"+OK", "AUTH", password)

    def round_trip(self) -> None:
        """PING."""
        self._expect(b"+PONG", "PING")

    def fetch(self, size: int) -> bytes:
        """A string of that length, which Redis makes up."""
        self._send("EVAL", _REPEAT, "0", str(size))
        head = self._wire.read_until(b"\r\n")
        if head != b"$%d" % size:
            raise GarbledError(f"expected a string of {size} bytes from Redis, got {head[:40]!r}")
        return self._wire.read(size + 2)[:-2]

    def _expect(self, answer: bytes, *command: str) -> None:
        self._send(*command)
        line = self._wire.read_until(b"\r\n")
        if line != answer:
            raise GarbledError(f"expected {answer!r} to {command[0]}, got {line[:60]!r}")

    def _send(self, *command: str) -> None:
        parts = [part.encode() for part in command]
        framed = b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)
        self._wire.send(b"*%d\r\n%s" % (len(parts), framed))


class S3Session:
    """HTTP/1.1 with signed addresses: HEAD for a round trip, a stretch of an object in bulk."""

    def __init__(self, wire: Wire, host: str, head: str, get: str) -> None:
        self._wire = wire
        self._host = host  # the one that the addresses were signed for
        self._head, self._get = head, get

    def round_trip(self) -> None:
        """HEAD of the object."""
        self._ask("HEAD", self._head, b"200")

    def fetch(self, size: int) -> bytes:
        """The first bytes of the object."""
        expected = self._ask("GET", self._get, b"206", f"Range: bytes=0-{size - 1}\r\n")
        if expected != size:
            raise GarbledError(f"expected {size} bytes from the store, it announces {expected}")
        return self._wire.read(size)

    def _ask(self, method: str, path: str, status: bytes, more: str = "") -> int:
        request = f"{method} {path} HTTP/1.1\r\nHost: {self._host}\r\n{more}\r\n"
        self._wire.send(request.encode())
        first, *headers = self._wire.read_until(b"\r\n\r\n").split(b"\r\n")
        if first.split(b" ")[1:2] != [status]:
            raise GarbledError(f"expected status {status!r} from the store, got {first[:60]!r}")
        for header in headers:
            name, _, value = header.partition(b":")
            if name.lower() == b"content-length" and value.strip().isdigit():
                return int(value)
        raise GarbledError("the store's answer does not say how long it is")
