"""The verdict on an answer: right within the tolerance, wrong otherwise, and never an exception."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from open_inference.grpc.protocol import ModelInferRequest, ModelInferResponse

from harness.errors import LoadError
from harness.load.oip import Workload
from harness.load.tensors import Tensor, datatype, from_raw, to_raw
from harness.tables import CORRECT, WRONG

SCORES = np.array([[0.25, 0.75], [0.5, 0.5]], dtype=np.float32)
LABELS = np.array([[1], [0]], dtype=np.int64)
FLAT_TYPES = ["?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "S3", "U3"]


@pytest.fixture
def workload(tmp_path: Path) -> Workload:
    """Two golden cases with a float and an integer output."""
    path = tmp_path / "golden.npz"
    arrays: dict[str, Tensor] = {"input.x": np.ones((2, 3), np.float32), "output.scores": SCORES}
    arrays["label"] = np.zeros(5)  # neither input nor output: to be ignored
    np.savez(path, allow_pickle=False, **arrays, **{"output.label": LABELS})
    return Workload.load(path, "model", seed=1, tolerance=1e-5)


def answer(**outputs: Tensor) -> ModelInferResponse:
    """Make an answer with raw contents."""
    response = ModelInferResponse(model_version="3")
    for name, tensor in outputs.items():
        response.outputs.add(name=name, datatype=datatype(tensor), shape=tensor.shape)
        response.raw_output_contents.append(to_raw(tensor))
    return response


def verdict(workload: Workload, response: ModelInferResponse) -> int:
    """Judge an answer to golden case 0."""
    return workload.judge(0, "id-1", response.SerializeToString()).correct


def test_an_answer_within_the_tolerance_is_correct(workload: Workload) -> None:
    """Floats may differ by the tolerance; the order of the outputs does not matter."""
    near = SCORES[:1] + np.float32(5e-6)

    assert verdict(workload, answer(scores=near, label=LABELS[:1])) == CORRECT
    assert verdict(workload, answer(label=LABELS[:1], scores=SCORES[:1])) == CORRECT


@pytest.mark.parametrize(
    "response",
    [
        answer(),
        answer(other=SCORES[:1]),
        answer(scores=SCORES[:1]),
        answer(scores=SCORES[:1] + np.float32(1e-4), label=LABELS[:1]),
        answer(scores=SCORES[:1] * np.float32("nan"), label=LABELS[:1]),
        answer(scores=SCORES[:1].astype(np.float64), label=LABELS[:1]),
        answer(scores=SCORES, label=LABELS[:1]),
        answer(scores=SCORES[:1], label=LABELS[:1] + 1),
    ],
    ids=[
        "empty",
        "unknown output",
        "one left out",
        "too far",
        "NaN",
        "other type",
        "other shape",
        "other label",
    ],
)
def test_any_other_answer_is_wrong(workload: Workload, response: ModelInferResponse) -> None:
    """One difference in one golden output is enough."""
    assert verdict(workload, response) == WRONG


def test_the_answer_to_another_request_is_wrong(workload: Workload) -> None:
    """An answer that bears another request's id is wrong, though its numbers are right."""
    response = answer(scores=SCORES[:1], label=LABELS[:1])
    response.id = "id-2"

    assert verdict(workload, response) == WRONG


def test_raw_contents_must_match_the_outputs_in_number_and_length(workload: Workload) -> None:
    """Missing raw contents, or half an array, are wrong."""
    short, few = (answer(scores=SCORES[:1], label=LABELS[:1]) for _ in range(2))
    short.raw_output_contents[0] = short.raw_output_contents[0][:-1]
    del few.raw_output_contents[1]

    assert (verdict(workload, short), verdict(workload, few)) == (WRONG, WRONG)


@given(st.binary(max_size=200))
def test_bytes_of_any_kind_get_a_verdict(noise: bytes) -> None:
    """Whatever a broken service sends, judging it does not fail."""
    workload = Workload((b"",), ({},), seed=0, tolerance=1e-5)

    assert workload.judge(0, "id-1", noise).correct == WRONG


def test_who_answered_is_read_from_the_answer(workload: Workload) -> None:
    """Version, the digest's first 16 characters and the replica's name are kept."""
    response = answer(scores=SCORES[:1])
    response.parameters["model_digest"].string_param = "0123456789abcdef0123"
    response.parameters["replica"].string_param = "replica-2"
    opinion = workload.judge(0, "id-1", response.SerializeToString())

    assert (opinion.version, opinion.digest, opinion.replica) == (
        "3",
        "0123456789abcdef",
        "replica-2",
    )


def test_a_request_carries_its_id_and_its_case(workload: Workload) -> None:
    """The id that is appended to the bytes is read as the request's id."""
    request = ModelInferRequest.FromString(workload.body(1, "run-0000001"))

    assert (request.id, request.model_name) == ("run-0000001", "model")
    assert list(request.inputs[0].shape) == [1, 3]
    assert request.raw_input_contents[0] == np.ones(3, np.float32).tobytes()


def test_every_case_comes_once_a_round(workload: Workload) -> None:
    """The order is a permutation of the golden cases, round and round."""
    order = [workload.case(n) for n in range(4)]

    assert sorted(order[:2]) == [0, 1]
    assert order[:2] == order[2:]


@pytest.mark.parametrize("kind", FLAT_TYPES)
def test_raw_bytes_are_read_as_they_were_written(kind: str) -> None:
    """Each type of the protocol that numpy has survives the way through raw contents."""
    tensor = np.array([0, 1, 1], dtype=kind)
    back = from_raw(to_raw(tensor), datatype(tensor))

    assert back.astype(np.str_).tolist() == tensor.astype(np.str_).tolist()


@pytest.mark.parametrize(
    "arrays",
    [
        {"input.x": np.ones((2, 3))},
        {"output.y": np.ones((2, 3))},
        {"input.x": np.ones((2, 3)), "output.y": np.ones((3, 3))},
        {"input.x": np.ones((0, 3)), "output.y": np.ones((0, 3))},
        {"input.x": np.ones((2, 3), np.complex64), "output.y": np.ones((2, 3))},
    ],
    ids=["no output", "no input", "rows differ", "no rows", "no such datatype"],
)
def test_a_golden_file_without_cases_is_refused(tmp_path: Path, arrays: dict[str, Tensor]) -> None:
    """The error names the file."""
    path = tmp_path / "golden.npz"
    np.savez(path, allow_pickle=False, **arrays)

    with pytest.raises(LoadError, match=r"golden\.npz"):
        Workload.load(path, "model", seed=1, tolerance=1e-5)


def test_a_damaged_golden_file_is_refused(tmp_path: Path) -> None:
    """Neither a missing file nor one that is no archive is an unexplained traceback."""
    path = tmp_path / "golden.npz"
    with pytest.raises(LoadError, match="cannot be read"):
        Workload.load(path, "model", seed=1, tolerance=1e-5)
    path.write_bytes(b"no archive")
    with pytest.raises(LoadError, match="cannot be read"):
        Workload.load(path, "model", seed=1, tolerance=1e-5)
