"""HPACK without its dynamic table, so that a block's bytes mean the same whenever they come.

Our requests are literals that enter no table; to the peer we advertise a table of size 0, so its
blocks depend on nothing that came before, and may be cached. Source: RFC 7541.
"""

from functools import lru_cache

from harness.load.http2 import huffman
from harness.load.http2.frames import COMPRESSION_ERROR, ViolationError

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
_TABLE = tuple(  # Appendix A
    (name.encode(), value.encode())
    for entry in _STATIC.replace("\n", "").split("|")
    for name, _, value in (entry.partition(" "),)
)
_MOST_NUMBER = 2**31 - 1

# "The table is empty from now on", at the head of a connection's first block (section 6.3): then no
# later SETTINGS_HEADER_TABLE_SIZE of the peer asks for another such notice (section 4.2).
NO_TABLE = b"\x20"


def request_headers(authority: str, path: str) -> bytes:
    """Encode what all requests to a method have in common (gRPC PROTOCOL-HTTP2.md, Requests)."""
    return b"".join(
        (
            b"\x83\x86",  # :method POST and :scheme http, both whole in the static table
            literal(b":path", path.encode()),
            literal(b":authority", authority.encode()),
            literal(b"te", b"trailers"),
            literal(b"content-type", b"application/grpc"),
            literal(b"user-agent", b"mayfly"),
        )
    )


def literal(name: bytes, value: bytes) -> bytes:
    """Encode a header that enters no table: section 6.2.2."""
    return _named(name) + _number(len(value), 0x00, 7) + value


@lru_cache(maxsize=64)
def _named(name: bytes) -> bytes:
    for index, (known, _) in enumerate(_TABLE, 1):
        if known == name:
            return _number(index, 0x00, 4)
    return b"\x00" + _number(len(name), 0x00, 7) + name


def _number(value: int, first: int, bits: int) -> bytes:
    """Encode a number after the upper bits of its first byte: section 5.1."""
    most = (1 << bits) - 1
    if value < most:
        return bytes((first | value,))
    encoded = bytearray((first | most,))
    value -= most
    while value >= 128:
        encoded.append(value & 127 | 128)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def decode(block: bytes) -> dict[bytes, bytes]:
    """Decode a block; of a header that comes again, the first is kept. Raises ViolationError."""
    found: dict[bytes, bytes] = {}
    try:
        at = 0
        while at < len(block):
            first = block[at]
            if first & 0x80:  # section 6.1
                index, at = _read_number(block, at, 7)
                name, value = _entry(index)
            elif first & 0xE0 == 0x20:  # section 6.3; nobody may ask for more than we advertised
                size, at = _read_number(block, at, 5)
                _expect(size == 0 and not found, f"a table size of {size}")
                continue
            else:  # section 6.2: with indexing (which an empty table forgets), without, never
                index, at = _read_number(block, at, 6 if first & 0x40 else 4)
                name, at = (_entry(index)[0], at) if index else _read_string(block, at)
                value, at = _read_string(block, at)
            found.setdefault(name, value)
    except (ValueError, IndexError) as error:
        raise ViolationError(COMPRESSION_ERROR, f"headers that cannot be read: {error}") from error
    return found


def _entry(index: int) -> tuple[bytes, bytes]:
    _expect(1 <= index <= len(_TABLE), f"index {index} into a table of {len(_TABLE)}")
    return _TABLE[index - 1]


def _read_number(block: bytes, at: int, bits: int) -> tuple[int, int]:
    most = (1 << bits) - 1
    value = block[at] & most
    at += 1
    if value < most:
        return value, at
    for shift in range(0, 35, 7):
        byte = block[at]
        at += 1
        value += (byte & 127) << shift
        if byte < 128 and value <= _MOST_NUMBER:
            return value, at
    raise ValueError("a number that is too large")


def _read_string(block: bytes, at: int) -> tuple[bytes, int]:
    """Read a string, Huffman-coded or not: section 5.2."""
    is_coded = block[at] & 0x80
    length, at = _read_number(block, at, 7)
    text = block[at : at + length]
    _expect(len(text) == length, "a string that is longer than its block")
    return (huffman.decode(text) if is_coded else text), at + length


def _expect(good: bool, seen: str) -> None:
    if not good:
        raise ValueError(seen)
