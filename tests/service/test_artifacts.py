"""Only the declared model is served, wherever it comes from."""

from collections.abc import Callable
from pathlib import Path

import grpc
import pytest
from open_inference.grpc import protocol

from service_under_test.artifacts import ArtifactError, check_artifact
from tests.service.backing import Server
from tests.service.conftest import MODEL_DIR, Golden
from tests.service.running import Replica, infer_request, refusal


def test_the_model_comes_from_the_object_store(
    start: Callable[..., Replica], s3_settings: dict[str, str], golden: Golden
) -> None:
    """A replica fetches the declared model and answers as golden says."""
    replica = start(**s3_settings).ready()
    response = replica.infer(golden.images[:1])
    assert int.from_bytes(response.raw_output_contents[1], "little") == golden.labels[0]


def test_a_model_of_another_digest_is_never_served(
    start: Callable[..., Replica], s3_settings: dict[str, str], digest: str
) -> None:
    """Wrong bytes under the declared digest: exit code 3, and a line that tells what to do."""
    replica = start(**s3_settings, MODEL_DIGEST="0" * 64)
    assert replica.exit_code() == 3
    line = replica.logged("model_refused")
    assert "0" * 64 in str(line["expected"])
    assert f"sha256 {digest}" in str(line["seen"])
    assert "MODEL_DIGEST" in str(line["do"])


def test_a_model_that_is_not_baked_in_is_said_so(
    start: Callable[..., Replica], folder: Path
) -> None:
    """No model in the image: exit code 3, naming the file."""
    replica = start(MODEL_DIR=str(folder))
    assert replica.exit_code() == 3
    assert str(folder / "model.onnx") in str(replica.logged("model_refused")["seen"])


def test_a_store_that_was_away_heals_by_itself(
    start: Callable[..., Replica], s3_settings: dict[str, str], object_store: Server
) -> None:
    """While the store is away the replica is live and not ready; when it is back, it is ready."""
    object_store.freeze()
    try:
        replica = start(**s3_settings)
        replica.logged("model_store_away")
        assert replica.stub.ServerLive(protocol.ServerLiveRequest()).live
        assert not replica.stub.ServerReady(protocol.ServerReadyRequest()).ready
        code, _ = refusal(replica.stub.ModelInfer.future(infer_request()))
        assert code is grpc.StatusCode.UNAVAILABLE
    finally:
        object_store.thaw()
    replica.ready().infer()


@pytest.mark.parametrize(
    ("manifest", "told"),
    [
        (b"{", "JSONDecodeError"),
        (b'{"name": "defects"}', "KeyError"),
        (b'{"name": "cats", "version": "1", "sha256": "x", "classes": []}', "name cats"),
        (b'{"name": "defects", "version": "1", "sha256": "x", "classes": []}', "sha256 x"),
    ],
)
def test_a_manifest_that_lies_is_refused(manifest: bytes, told: str, digest: str) -> None:
    """A manifest that is broken, or tells of another model, is refused with what was seen."""
    onnx = (MODEL_DIR / "model.onnx").read_bytes()
    with pytest.raises(ArtifactError) as refused:
        check_artifact(onnx, manifest, "defects", digest)
    assert told in refused.value.seen
