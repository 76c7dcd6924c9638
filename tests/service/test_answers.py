"""What a right question is answered."""

import numpy as np
import pytest
from open_inference.grpc import protocol

from service_under_test.tensors import BATCH_LIMIT
from tests.service.conftest import Golden
from tests.service.running import Replica, infer_request


def read(
    response: protocol.ModelInferResponse,
) -> tuple["np.ndarray[tuple[int, ...], np.dtype[np.float32]]", list[int]]:
    """Read probabilities and labels out of an answer."""
    raw = dict(zip([o.name for o in response.outputs], response.raw_output_contents, strict=True))
    labels = np.frombuffer(raw["label"], np.int64).tolist()
    probabilities = np.frombuffer(raw["probabilities"], np.float32).reshape(len(labels), -1)
    return probabilities, labels


@pytest.mark.parametrize("batch", [1, 8, BATCH_LIMIT])
def test_golden_images_get_golden_answers(
    shared_replica: Replica, golden: Golden, batch: int
) -> None:
    """The golden images get the golden answers, alone and in batches of any legal size."""
    for first in range(0, 2 * batch, batch):
        images = golden.images[first : first + batch]
        probabilities, labels = read(shared_replica.infer(images))
        assert labels == golden.labels[first : first + batch].tolist()
        expected = golden.probabilities[first : first + batch]
        assert np.abs(probabilities - expected).max() <= 1e-5


def test_typed_contents_are_as_good_as_raw(shared_replica: Replica, golden: Golden) -> None:
    """An image in uint_contents gets the same answer as its raw bytes."""
    typed = infer_request(golden.images[:2])
    del typed.raw_input_contents[:]
    typed.inputs[0].contents.uint_contents.extend(golden.images[:2].ravel().tolist())
    assert read(shared_replica.stub.ModelInfer(typed))[1] == golden.labels[:2].tolist()


def test_only_the_wanted_outputs_are_sent(shared_replica: Replica) -> None:
    """Who asks for the label alone gets the label alone."""
    request = infer_request()
    request.outputs.add(name="label")
    response = shared_replica.stub.ModelInfer(request)
    assert [output.name for output in response.outputs] == ["label"]
    assert len(response.raw_output_contents) == 1


def test_an_answer_tells_who_gave_it(shared_replica: Replica, digest: str) -> None:
    """An answer names model, version, digest, replica and request, and whether it was cached."""
    response = shared_replica.infer(request_id="who-gave-it")
    assert (response.model_name, response.model_version, response.id) == (
        "defects",
        "1",
        "who-gave-it",
    )
    assert response.parameters["model_digest"].string_param == digest
    assert response.parameters["replica"].string_param == "shared"
    assert response.parameters["request_id"].string_param == "who-gave-it"
    assert response.parameters["cached"].bool_param is False


def test_who_gives_no_id_gets_one(shared_replica: Replica) -> None:
    """A request without an id gets one of its own."""
    first, second = shared_replica.infer().id, shared_replica.infer().id
    assert len(first) == len(second) == 32
    assert first != second


def test_metadata_describes_the_model(shared_replica: Replica, digest: str) -> None:
    """ModelMetadata tells the version, the tensors, the digest and the classes."""
    metadata = shared_replica.stub.ModelMetadata(protocol.ModelMetadataRequest(name="defects"))
    assert list(metadata.versions) == ["1"]
    assert [(i.name, i.datatype, list(i.shape)) for i in metadata.inputs] == [
        ("image", "UINT8", [-1, 64, 64])
    ]
    assert [o.name for o in metadata.outputs] == ["probabilities", "label"]
    assert metadata.properties["model_digest"] == digest
    assert "crushed_corner" in metadata.properties["classes"].split(",")
