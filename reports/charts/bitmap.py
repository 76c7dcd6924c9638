"""Densities of cells as a picture that a browser colours: a few kB, however many cells are filled.

The picture is a mask, so that the colour is the page's own, on light and on dark paper.
"""

import base64
import hashlib
import struct
import zlib

import numpy as np
from markupsafe import Markup

from reports.charts.cells import Counts

_LEVELS = (0, 120, 184, 255)  # how opaque each density is, of 255
_PER_BYTE = 4  # cells, at two bits each


def layer(kind: str, densities: Counts, of: str) -> Markup:
    """The cells, thin ones paler than thick ones, in the colour of the kind; empty if all are.

    ``of`` tells this chart from others on the page.
    """
    if not densities.any():
        return Markup("")
    height, width = densities.shape
    # A printed mask that ends where the coloured part does leaves a line at that edge.
    wider = np.pad(densities, ((0, 1), (0, 1)))
    picture = base64.b64encode(_png(wider)).decode()
    name = f"mask-{hashlib.sha256(f'{of} {kind} {picture}'.encode()).hexdigest()[:12]}"
    return Markup(
        '<mask id="{0}"><image width="{5}" height="{6}" preserveAspectRatio="none"'
        ' href="data:image/png;base64,{3}"/></mask>'
        '<rect class="{4}" width="{1}" height="{2}" mask="url(#{0})"/>'
    ).format(name, width, height, picture, kind, width + 1, height + 1)


def _png(densities: Counts) -> bytes:
    """The cells as a PNG of two bits each."""
    height, width = densities.shape
    padded = np.zeros((height, -(-width // _PER_BYTE) * _PER_BYTE), dtype=np.uint8)
    padded[:, :width] = densities
    quads = padded.reshape(height, -1, _PER_BYTE) << np.array([6, 4, 2, 0], dtype=np.uint8)
    rows = np.zeros((height, quads.shape[1] + 1), dtype=np.uint8)  # a row begins with its filter
    rows[:, 1:] = quads.sum(axis=2, dtype=np.uint8)
    head = struct.pack(">IIBBBBB", width, height, 2, 3, 0, 0, 0)
    palette = bytes(level for level in _LEVELS for _ in "rgb")
    parts = (
        (b"IHDR", head),
        (b"PLTE", palette),
        (b"IDAT", zlib.compress(rows.tobytes(), 9)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, content) for kind, content in parts)


def _chunk(kind: bytes, content: bytes) -> bytes:
    check = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)
