"""Tensors as the Open Inference Protocol v2 writes them: raw bytes, or typed contents.

Source: kserve/open-inference-protocol, specification/protocol/inference_grpc.md, "Tensor Data"
(little endian, row-major; BYTES elements each behind a 4-byte length; BOOL one byte).
"""

import struct
from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray
from open_inference.grpc.protocol import ModelInferResponse

Tensor = NDArray[np.generic]
OutputTensor = ModelInferResponse.InferOutputTensor

_DATATYPES: Final = {
    "BOOL": np.dtype("?"),
    "INT8": np.dtype("<i1"),
    "INT16": np.dtype("<i2"),
    "INT32": np.dtype("<i4"),
    "INT64": np.dtype("<i8"),
    "UINT8": np.dtype("<u1"),
    "UINT16": np.dtype("<u2"),
    "UINT32": np.dtype("<u4"),
    "UINT64": np.dtype("<u8"),
    "FP16": np.dtype("<f2"),
    "FP32": np.dtype("<f4"),
    "FP64": np.dtype("<f8"),
}
_NAMES: Final = {dtype: name for name, dtype in _DATATYPES.items()}


def datatype(tensor: Tensor) -> str:
    """Give the protocol's name for an array's type. Raises ValueError if it has none."""
    if tensor.dtype.kind in "SU":
        return "BYTES"
    name = _NAMES.get(tensor.dtype.newbyteorder("<"))
    if name is None:
        raise ValueError(f"the protocol has no datatype for numpy's {tensor.dtype}")
    return name


def to_raw(tensor: Tensor) -> bytes:
    """Write ``raw_input_contents``. Raises ValueError for a type that the protocol lacks."""
    kind = datatype(tensor)
    if kind != "BYTES":
        return np.ascontiguousarray(tensor, dtype=_DATATYPES[kind]).tobytes()
    texts = (text.encode() if isinstance(text, str) else text for text in tensor.ravel().tolist())
    return b"".join(struct.pack("<I", len(text)) + text for text in texts)


def from_raw(raw: bytes, kind: str) -> Tensor:
    """Read the flat array that these bytes stand for. Raises ValueError if they cannot be read."""
    if kind == "BYTES":
        return np.array(list(_split(raw)), dtype=np.bytes_)
    return np.frombuffer(raw, dtype=_dtype(kind))


def from_contents(output: OutputTensor) -> Tensor:
    """Read the flat array in an answer's typed contents. Raises ValueError if the type has none."""
    kind, contents = output.datatype, output.contents
    fields: dict[str, Iterable[object]] = {
        "BOOL": contents.bool_contents,
        "INT8": contents.int_contents,
        "INT16": contents.int_contents,
        "INT32": contents.int_contents,
        "INT64": contents.int64_contents,
        "UINT8": contents.uint_contents,
        "UINT16": contents.uint_contents,
        "UINT32": contents.uint_contents,
        "UINT64": contents.uint64_contents,
        "FP32": contents.fp32_contents,
        "FP64": contents.fp64_contents,
        "BYTES": contents.bytes_contents,
    }
    if kind not in fields:
        raise ValueError(f"datatype {kind!r} has no typed contents")
    values = list(fields[kind])
    return np.array(values, dtype=np.bytes_ if kind == "BYTES" else _dtype(kind))


def equal(expected: Tensor, seen: Tensor, tolerance: float) -> bool:
    """Floats within an absolute tolerance (NaN equals NaN), anything else exactly; flat arrays."""
    if expected.shape != seen.shape:
        return False
    if expected.dtype.kind != "f":
        return bool(np.array_equal(expected, seen))
    wanted, had = expected.astype(np.float64), seen.astype(np.float64)
    return bool(np.allclose(had, wanted, rtol=0.0, atol=tolerance, equal_nan=True))


def _dtype(kind: str) -> np.dtype[np.generic]:
    if kind not in _DATATYPES:
        raise ValueError(f"datatype {kind!r} is not one of the protocol's")
    return _DATATYPES[kind]


def _split(raw: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(raw):
        if at + 4 > len(raw):
            raise ValueError("a BYTES tensor ends within a length")
        (length,) = struct.unpack_from("<I", raw, at)
        at += 4 + length
        if at > len(raw):
            raise ValueError("a BYTES tensor ends within an element")
        yield raw[at - length : at]
