"""The workload: golden requests of the Open Inference Protocol v2, and a verdict on each answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from zipfile import BadZipFile

import numpy as np
from google.protobuf.message import DecodeError
from open_inference.grpc.protocol import ModelInferRequest, ModelInferResponse

from harness.errors import LoadError
from harness.load.tensors import (
    OutputTensor,
    Tensor,
    datatype,
    equal,
    from_contents,
    from_raw,
    to_raw,
)
from harness.tables import CORRECT, WRONG

METHOD = "/inference.GRPCInferenceService/ModelInfer"
_ID_FIELD = b"\x1a"  # field 3, length-delimited: ModelInferRequest.id


@dataclass(frozen=True, slots=True)
class Opinion:
    """What is thought of one answer, and what the answer says of who gave it."""

    correct: int  # harness.tables.CORRECT or WRONG
    replica: str = ""
    version: str = ""
    digest: str = ""  # the first 16 characters


@dataclass(frozen=True, slots=True)
class _Golden:
    datatype: str
    shape: tuple[int, ...]
    raw: bytes
    flat: Tensor


class Workload:
    """Golden cases in a seeded order, round and round; requests are serialised once, beforehand."""

    def __init__(
        self,
        bodies: tuple[bytes, ...],
        goldens: tuple[Mapping[str, _Golden], ...],
        seed: int,
        tolerance: float,
    ) -> None:
        self._bodies = bodies
        self._goldens = goldens
        self._order: list[int] = np.random.default_rng((seed, 3)).permutation(len(bodies)).tolist()
        self._tolerance = tolerance

    @classmethod
    def load(cls, golden: Path, model_name: str, seed: int, tolerance: float) -> Self:
        """Read a golden file. Raises LoadError if it is missing, damaged, or holds no cases."""
        inputs, outputs = _read(golden)
        try:
            count = len(next(iter(inputs.values())))
            bodies = tuple(_body(model_name, inputs, case) for case in range(count))
            goldens = tuple(_goldens(outputs, case) for case in range(count))
        except ValueError as error:
            raise LoadError(f"the golden file {golden} cannot be sent: {error}") from error
        return cls(bodies, goldens, seed, tolerance)

    def case(self, n: int) -> int:
        """Which golden case the nth request is."""
        return self._order[n % len(self._order)]

    def body(self, case: int, request_id: str) -> bytes:
        """Give a request its id; protobuf lets a field be appended, so nothing is made anew."""
        name = request_id.encode("ascii")
        return b"".join((self._bodies[case], _ID_FIELD, bytes((len(name),)), name))

    def judge(self, case: int, request_id: str, answer: bytes) -> Opinion:
        """Compare an answer with the golden one; a malformed one is wrong, never an exception."""
        try:
            response = ModelInferResponse.FromString(answer)
        except DecodeError:
            return Opinion(WRONG)
        try:
            right = self._is_golden(self._goldens[case], request_id, response)
        except (ValueError, OverflowError):  # bytes that are no array of the type they claim
            right = False
        told = response.parameters
        # A map field makes the entry that is asked for, so ask only for what is there.
        digest = told["model_digest"].string_param if "model_digest" in told else ""
        replica = told["replica"].string_param if "replica" in told else ""
        correct = CORRECT if right else WRONG
        return Opinion(correct, replica, response.model_version, digest[:16])

    @property
    def cases(self) -> int:
        """Number of golden cases."""
        return len(self._bodies)

    def difference(self, case: int, answer: bytes) -> float:
        """Greatest absolute difference of float outputs; ValueError if one cannot be read."""
        response = ModelInferResponse.FromString(answer)
        worst = 0.0
        for output, raw in _outputs(response):
            golden = self._goldens[case].get(output.name)
            if golden is not None and golden.flat.dtype.kind == "f":
                tensor = from_contents(output) if raw is None else from_raw(raw, output.datatype)
                apart = tensor.astype(np.float64) - golden.flat.astype(np.float64)
                worst = max(worst, float(np.abs(apart).max(initial=0.0)))
        return worst

    def _is_golden(
        self, goldens: Mapping[str, _Golden], request_id: str, response: ModelInferResponse
    ) -> bool:
        """Whether each golden output is in the answer, and right."""
        if response.id not in ("", request_id):
            return False  # the answer to somebody else's request
        told = _outputs(response)
        if not goldens or not goldens.keys() <= {output.name for output, _ in told}:
            return False  # what is left out cannot be right
        return all(
            _matches(goldens[output.name], output, raw, self._tolerance)
            for output, raw in told
            if output.name in goldens
        )


def _outputs(response: ModelInferResponse) -> list[tuple[OutputTensor, bytes | None]]:
    """Each output with its raw contents, None where they are typed. Raises ValueError if uneven."""
    raws: Sequence[bytes | None] = response.raw_output_contents or [None] * len(response.outputs)
    return list(zip(response.outputs, raws, strict=True))


def _matches(golden: _Golden, output: OutputTensor, raw: bytes | None, tolerance: float) -> bool:
    """Compare one output; raises ValueError where the tensor cannot be read."""
    if output.datatype != golden.datatype or tuple(output.shape) != golden.shape:
        return False
    if raw == golden.raw:
        return True  # the usual case, without making an array
    seen = from_contents(output) if raw is None else from_raw(raw, output.datatype)
    return equal(golden.flat, seen, tolerance)


def _read(golden: Path) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    try:
        with np.load(golden, allow_pickle=False) as arrays:
            every: dict[str, Tensor] = {name: arrays[name] for name in arrays.files}
    except (OSError, ValueError, EOFError, BadZipFile) as error:
        raise LoadError(f"the golden file {golden} cannot be read: {error}") from error
    inputs = {k.removeprefix("input."): v for k, v in every.items() if k.startswith("input.")}
    outputs = {k.removeprefix("output."): v for k, v in every.items() if k.startswith("output.")}
    lengths = {len(array) if array.ndim else 0 for array in (*inputs.values(), *outputs.values())}
    shapes = {name: array.shape for name, array in every.items()}
    if not inputs or not outputs or len(lengths) != 1 or lengths == {0}:
        raise LoadError(
            f"the golden file {golden} must hold input.NAME and output.NAME arrays of one and the "
            f"same number of rows, but holds {shapes}"
        )
    return inputs, outputs


def _body(model_name: str, inputs: Mapping[str, Tensor], case: int) -> bytes:
    request = ModelInferRequest(model_name=model_name)
    for name, array in inputs.items():
        tensor = array[case : case + 1]
        request.inputs.add(name=name, datatype=datatype(tensor), shape=tensor.shape)
        request.raw_input_contents.append(to_raw(tensor))
    return request.SerializeToString()


def _goldens(outputs: Mapping[str, Tensor], case: int) -> dict[str, _Golden]:
    result = {}
    for name, array in outputs.items():
        tensor = array[case : case + 1]
        kind, raw = datatype(tensor), to_raw(tensor)
        result[name] = _Golden(kind, tensor.shape, raw, from_raw(raw, kind))
    return result
