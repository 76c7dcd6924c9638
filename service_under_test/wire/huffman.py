"""The Huffman code of HPACK: RFC 7541, section 5.2 and Appendix B.

The code is canonical: codes count up in the order of their lengths, and for one length in the order
of their bytes. So the lengths, here for the bytes 0 to 255 and the end of a string, say it all.
"""

# fmt: off
_LENGTHS = (
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
    28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
    6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
    5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
    13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
    7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
    15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
    6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
    20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
    24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
    22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
    21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
    19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
    20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
    26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
    30,
)
# fmt: on
_END = 256
_LONGEST = 30


def _codes() -> dict[int, int]:
    """Map each code, with a one before it that keeps its length, to its byte."""
    found: dict[int, int] = {}
    code, before = 0, 0
    for length, symbol in sorted((length, symbol) for symbol, length in enumerate(_LENGTHS)):
        code <<= length - before
        before = length
        found[1 << length | code] = symbol
        code += 1
    return found


_CODES = _codes()


def decode(coded: bytes) -> bytes:
    """Decode one string. Raises ValueError if it is none."""
    plain = bytearray()
    code = 1
    for byte in coded:
        for place in range(7, -1, -1):
            code = code << 1 | byte >> place & 1
            symbol = _CODES.get(code)
            if symbol is not None:
                if symbol == _END:
                    raise ValueError("a Huffman string with its end in the middle")
                plain.append(symbol)
                code = 1
    left = code.bit_length() - 1
    if left > 7 or code != (1 << left + 1) - 1:  # padding is the first bits of the end's code: ones
        raise ValueError("a Huffman string that ends within a byte")
    return bytes(plain)
