"""HPACK, the compression of headers. Source: RFC 7541.

We advertise a table of size 0, and write literals that enter none: so, but for what a peer sends
before it has read our settings, a block's bytes mean the same whenever they come, and are decoded
once. Of what a client may do all is understood.
"""

from functools import lru_cache

from service_under_test.wire import huffman
from service_under_test.wire.frames import COMPRESSION_ERROR, ViolationError

_STATIC = """\
:authority|:method GET|:method POST|:path /|:path /index.html|:scheme http|:scheme https|
:status 200|:status 204|:status 206|:status 304|:status 400|:status 404|:status 500|
accept-charset|accept-encoding gzip, deflate|accept-language|accept-ranges|accept|
access-control-allow-origin|age|allow|authorization|cache-control|content-disposition|
content-encoding|content-language|content-length|content-location|content-range|content-type|
cookie|date|etag|expect|expires|from|host|if-match|if-modified-since|if-none-match|if-range|
if-unmodified-since|last-modified|link|location|max-forwards|proxy-authenticate|
proxy-authorization|range|referer|refresh|retry-after|server|set-cookie|strict-transport-security|
transfer-encoding|user-agent|vary|via|www-authenticate
"""
Header = tuple[bytes, bytes]
Headers = dict[bytes, bytes]

_TABLE: tuple[Header, ...] = tuple(  # Appendix A
    (name.encode(), value.encode())
    for entry in _STATIC.replace("\n", "").split("|")
    for name, _, value in (entry.partition(" "),)
)
_DEFAULT_SIZE = 4096  # of the table, until the peer has read that we want none
_ENTRY_OVERHEAD = 32  # section 4.1


class _NeedsTableError(Exception):
    """The block reads or changes the table, so what it means depends on what came before."""


class Decoder:
    """Decodes the blocks of one connection, in the order in which they come."""

    def __init__(self) -> None:
        self._table: list[Header] = []  # the newest first
        self._size = 0
        self._most = _DEFAULT_SIZE

    def decode(self, block: bytes) -> Headers:
        """Decode one block; of a header that comes again, the first. Raises ViolationError."""
        try:
            try:
                return _decode_alone(block)
            except _NeedsTableError:
                return _decode(block, self)
        except (ValueError, IndexError) as error:
            raise ViolationError(COMPRESSION_ERROR, f"unreadable headers: {error}") from error

    def resize(self, most: int) -> None:
        """Take the size that the peer chose."""
        if most > _DEFAULT_SIZE:
            raise ValueError(f"a table of {most} bytes")
        self._most = most
        self._evict()

    def add(self, header: Header) -> None:
        """Keep a header; what has no room any more is forgotten."""
        self._table.insert(0, header)
        self._size += len(header[0]) + len(header[1]) + _ENTRY_OVERHEAD
        self._evict()

    def _evict(self) -> None:
        while self._size > self._most:
            name, value = self._table.pop()
            self._size -= len(name) + len(value) + _ENTRY_OVERHEAD

    def entry(self, index: int) -> Header:
        """Give the entry of that number: first the static table, then ours."""
        return self._table[index - len(_TABLE) - 1]


@lru_cache(maxsize=512)
def _decode_alone(block: bytes) -> Headers:
    return _decode(block, None)


def _decode(block: bytes, table: Decoder | None) -> Headers:
    found: Headers = {}
    at = 0
    while at < len(block):
        first = block[at]
        if first & 0x80:  # section 6.1
            index, at = _read_number(block, at, 7)
            name, value = _entry(index, table)
        elif first & 0xE0 == 0x20:  # section 6.3
            size, at = _read_number(block, at, 5)
            _demand(table).resize(size)
            continue
        else:  # section 6.2: with indexing, without, never
            index, at = _read_number(block, at, 6 if first & 0x40 else 4)
            name, at = (_entry(index, table)[0], at) if index else _read_string(block, at)
            value, at = _read_string(block, at)
            if first & 0x40:
                _demand(table).add((name, value))
        found.setdefault(name, value)
    return found


def _demand(table: Decoder | None) -> Decoder:
    if table is None:
        raise _NeedsTableError
    return table


def _entry(index: int, table: Decoder | None) -> Header:
    if index == 0:
        raise ValueError("index 0")
    return _TABLE[index - 1] if index <= len(_TABLE) else _demand(table).entry(index)


def _read_number(block: bytes, at: int, bits: int) -> tuple[int, int]:
    most = (1 << bits) - 1
    value = block[at] & most
    at += 1
    if value < most:
        return value, at
    for shift in range(0, 28, 7):
        byte = block[at]
        at += 1
        value += (byte & 127) << shift
        if byte < 128:
            return value, at
    raise ValueError("a number that is too large")


def _read_string(block: bytes, at: int) -> tuple[bytes, int]:
    """Read a string, Huffman-coded or not: section 5.2."""
    is_coded = block[at] & 0x80
    length, at = _read_number(block, at, 7)
    text = block[at : at + length]
    if len(text) != length:
        raise ValueError("a string that is longer than its block")
    return (_plain(text) if is_coded else text), at + length


_plain = lru_cache(maxsize=512)(huffman.decode)


def literal(name: bytes, value: bytes) -> bytes:
    """Write a header that enters no table: section 6.2.2."""
    return b"\x00" + _number(len(name)) + name + _number(len(value)) + value


def _number(value: int) -> bytes:
    """Write a length after a bit of zero: section 5.1."""
    if value < 127:
        return bytes((value,))
    encoded = bytearray((127,))
    value -= 127
    while value >= 128:
        encoded.append(value & 127 | 128)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
