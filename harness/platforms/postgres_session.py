"""How the harness itself speaks with PostgreSQL: just enough to measure a path.

Protocol 3.0 with SCRAM-SHA-256 (RFC 5802, RFC 7677), simple queries.
"""

import base64
import hashlib
import hmac
import secrets
import struct

from harness.platforms.wire import GarbledError, Wire

_PROTOCOL = 196_608  # 3.0
_SASL, _CONTINUE = 10, 11
_LONGEST = 1 << 24
_MOST_ROUNDS = 100_000  # PostgreSQL asks for 4,096; a flipped digit may ask for hours


class PostgresSession:
    """``select 1`` for a round trip, a repeated letter for a bulk answer."""

    def __init__(self, wire: Wire, user: str, password: str, database: str) -> None:
        self._wire = wire
        parameters = f"user\0{user}\0database\0{database}\0\0".encode()
        wire.send(struct.pack("!ii", 8 + len(parameters), _PROTOCOL) + parameters)
        self._log_in(password)
        self._until_ready()

    def round_trip(self) -> None:
        """``select 1``."""
        self._query("select 1")

    def fetch(self, size: int) -> bytes:
        """A text of that length, which PostgreSQL makes up."""
        value = self._query(f"select repeat('x', {size:d})")
        if len(value) != size:
            raise GarbledError(f"expected {size} bytes from PostgreSQL, got {len(value)}")
        return value

    def _query(self, statement: str) -> bytes:
        """The one value of the one row."""
        self._send(b"Q", statement.encode() + b"\0")
        rows = [body for kind, body in self._until_ready() if kind == b"D"]
        if len(rows) != 1 or len(rows[0]) < 6:
            raise GarbledError(f"expected one row from PostgreSQL, got {len(rows)}")
        return rows[0][6:]  # behind the number of columns and the length of the first

    def _until_ready(self) -> list[tuple[bytes, bytes]]:
        messages: list[tuple[bytes, bytes]] = []
        while True:
            kind, body = self._receive()
            if kind == b"Z":
                return messages
            messages.append((kind, body))

    def _log_in(self, password: str) -> None:
        self._demand_authentication(_SASL)
        nonce = secrets.token_hex(12)
        bare = f"n=,r={nonce}"
        first = f"n,,{bare}".encode()
        self._send(b"p", b"SCRAM-SHA-256\0" + struct.pack("!i", len(first)) + first)
        challenge = self._demand_authentication(_CONTINUE).decode(errors="replace")
        try:
            fields = dict(part.split("=", 1) for part in challenge.split(","))
            full_nonce, salt = fields["r"], base64.b64decode(fields["s"], validate=True)
            rounds = int(fields["i"])
        except (KeyError, ValueError) as error:
            raise GarbledError(f"PostgreSQL's challenge makes no sense: {error}") from error
        if not full_nonce.startswith(nonce) or not 1 <= rounds <= _MOST_ROUNDS:
            raise GarbledError("PostgreSQL's challenge is not for this login")
        unproven = f"c=biws,r={full_nonce}"
        proof = _proof(password, salt, rounds, f"{bare},{challenge},{unproven}")
        self._send(b"p", f"{unproven},p={proof}".encode())

    def _demand_authentication(self, code: int) -> bytes:
        kind, body = self._receive()
        if kind != b"R" or struct.unpack("!i", body[:4])[0] != code:
            raise GarbledError(f"expected step {code} of the login, got {kind!r} {body[:8]!r}")
        return body[4:]

    def _receive(self) -> tuple[bytes, bytes]:
        kind, length = struct.unpack("!ci", self._wire.read(5))
        if not 4 <= length <= _LONGEST:
            raise GarbledError(f"a message of {length} bytes cannot be PostgreSQL's")
        body = self._wire.read(length - 4)
        if kind == b"E":
            told = [part[1:].decode(errors="replace") for part in body.split(b"\0") if part]
            raise GarbledError(f"PostgreSQL refused: {' '.join(told)[:120]}")
        return kind, body

    def _send(self, kind: bytes, body: bytes) -> None:
        self._wire.send(kind + struct.pack("!i", 4 + len(body)) + body)


def _proof(password: str, salt: bytes, rounds: int, message: str) -> str:
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, rounds)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    signature = hmac.digest(hashlib.sha256(client_key).digest(), message.encode(), "sha256")
    mixed = bytes(a ^ b for a, b in zip(client_key, signature, strict=True))
    return base64.b64encode(mixed).decode()
