"""HPACK: the examples of RFC 7541, and whatever else may come."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.load.http2 import headers, huffman
from harness.load.http2.answers import Head, head
from harness.load.http2.calls import timeout
from harness.load.http2.frames import ViolationError


@pytest.mark.parametrize(
    ("coded", "plain"),
    [  # RFC 7541, C.4 and C.6
        ("f1e3c2e5f23a6ba0ab90f4ff", b"www.example.com"),
        ("a8eb10649cbf", b"no-cache"),
        ("25a849e95ba97d7f", b"custom-key"),
        ("25a849e95bb8e8b4bf", b"custom-value"),
        ("6402", b"302"),
        ("aec3771a4b", b"private"),
        ("d07abe941054d444a8200595040b8166e082a62d1bff", b"Mon, 21 Oct 2013 20:13:21 GMT"),
        ("9d29ad171863c78f0b97c8e9ae82ae43d3", b"https://www.example.com"),
        ("", b""),
    ],
)
def test_huffman_strings_of_the_standard(coded: str, plain: bytes) -> None:
    """The standard's own strings come out as it says."""
    assert plain == huffman.decode(bytes.fromhex(coded))


@pytest.mark.parametrize("coded", ["ffffffff", "00", "f1e3c2e5f23a6ba0ab90f4fe", "a8eb10649cbfff"])
def test_huffman_strings_that_are_none(coded: str) -> None:
    """Wrong padding and an end in the middle are refused: section 5.2."""
    with pytest.raises(ValueError, match="Huffman"):
        huffman.decode(bytes.fromhex(coded))


@pytest.mark.parametrize(
    ("block", "found"),
    [
        ("400a637573746f6d2d6b65790d637573746f6d2d686561646572", {b"custom-key": b"custom-header"}),
        ("040c2f73616d706c652f70617468", {b":path": b"/sample/path"}),
        ("100870617373776f726406736563726574", {b"password": b"secret"}),
        ("82", {b":method": b"GET"}),
        ("2088", {b":status": b"200"}),
    ],
)
def test_header_fields_of_the_standard(block: str, found: dict[bytes, bytes]) -> None:
    """Every representation of RFC 7541, C.2, and a table emptied, are read."""
    assert found == headers.decode(bytes.fromhex(block))


@pytest.mark.parametrize(
    "block", ["be", "80", "3fe11f", "8820", "0f", "000161", "007fffffffffff7f"]
)
def test_blocks_that_cannot_be_read(block: str) -> None:
    """Entries of the dynamic table we refused, sizes beyond 0, and cut-off blocks are refused."""
    with pytest.raises(ViolationError):
        headers.decode(bytes.fromhex(block))


@given(
    name=st.binary(min_size=1, max_size=300),
    value=st.binary(max_size=5000),
)
def test_what_is_encoded_is_decoded(name: bytes, value: bytes) -> None:
    """A literal of any length comes back."""
    assert headers.decode(headers.literal(name, value)) == {name: value}


@given(st.binary(max_size=200))
def test_any_bytes_are_headers_or_a_violation(block: bytes) -> None:
    """Nothing a server may send raises anything else."""
    with suppress(ViolationError):
        assert isinstance(head(block), Head)


@pytest.mark.parametrize(
    ("timeout_s", "written"),
    [
        (2.0, b"2000000u"),
        (0.0000001, b"1u"),
        (0.3, b"300000u"),
        (99.0, b"99000000u"),
        (100.0, b"100000m"),
        (3600.0, b"3600000m"),
        (1e6, b"1000000S"),
        (1e12, b"99999999S"),
    ],
)
def test_timeouts(timeout_s: float, written: bytes) -> None:
    """A time-out has at most eight digits, and is never cut to 0."""
    assert written == timeout(timeout_s)
