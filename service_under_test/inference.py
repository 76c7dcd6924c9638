"""One prediction from request to acknowledged answer: check, cache, model, record."""

import asyncio
import hashlib
import uuid
from typing import Protocol

from open_inference.grpc.protocol import (
    ModelInferRequest,
    ModelInferResponse,
    ModelMetadataResponse,
)

from service_under_test import tensors
from service_under_test.admission import Admission, Place
from service_under_test.artifacts import Artifact
from service_under_test.cache import Cache
from service_under_test.metrics import Metrics
from service_under_test.predictions import Outputs, Prediction, Signature
from service_under_test.records import (
    Records,
    RecordsAwayError,
    RequestIdTakenError,
    Stored,
    TooLateError,
)
from service_under_test.refusal import Code, Refusal, records_away, refuse_late

# Shorter work is done on the event loop sooner than a thread can be woken; longer work keeps
# probes and refusals waiting: with 7 ms per image, 1.3 s on the loop and 2 ms beside a thread.
LONGEST_ON_LOOP_S = 0.001


class LoadedModel(Protocol):
    """What the service needs of a model, so that onnxruntime is imported only where it loads."""

    artifact: Artifact
    signature: Signature
    image_s: float  # how long one image takes, measured while warming up

    def predict(self, images: bytes) -> Outputs: ...  # noqa: D102


class Inference:
    """Answers for one model, which arrives after the server already listens."""

    def __init__(
        self,
        model_name: str,
        replica: str,
        admission: Admission,
        records: Records,
        cache: Cache,
        metrics: Metrics,
    ) -> None:
        self._model_name = model_name
        self._replica = replica
        self._records = records
        self._cache = cache
        self._metrics = metrics
        self._admission = admission
        self._model: LoadedModel | None = None

    def use(self, model: LoadedModel) -> None:
        """Serve with this model from now on."""
        self._model = model

    def names(self, name: str, version: str) -> bool:
        """Tell whether that is the loaded model; no version means the one there is."""
        model = self._model
        return (
            model is not None
            and name == self._model_name
            and version in {"", model.artifact.version}
        )

    def _find_model(self, name: str, version: str) -> LoadedModel:
        if name != self._model_name:
            raise Refusal(Code.NOT_FOUND, f"model: expected {self._model_name}, saw {name[:100]!r}")
        if self._model is None:
            raise Refusal(
                Code.UNAVAILABLE, "model: still loading; ask again or ask another replica"
            )
        known = self._model.artifact.version
        if version not in {"", known}:
            raise Refusal(
                Code.NOT_FOUND,
                f"model version: expected {known} or none, saw {version[:100]!r}",
            )
        return self._model

    def describe(self, name: str, version: str) -> ModelMetadataResponse:
        """Tell name, version, digest, tensors and classes."""
        model = self._find_model(name, version)
        tensor = ModelMetadataResponse.TensorMetadata
        classes = len(model.artifact.classes)
        return ModelMetadataResponse(
            name=model.artifact.name,
            versions=[model.artifact.version],
            platform="onnxruntime_onnx",
            inputs=[
                tensor(name="image", datatype="UINT8", shape=[-1, *model.signature.image_shape])
            ],
            outputs=[
                tensor(name="probabilities", datatype="FP32", shape=[-1, classes]),
                tensor(name="label", datatype="INT64", shape=[-1]),
            ],
            properties={
                "model_digest": model.artifact.digest,
                "classes": ",".join(model.artifact.classes),
            },
        )

    async def infer(
        self, request: ModelInferRequest, deadline_s: float | None, place: Place
    ) -> ModelInferResponse:
        """Answer with a prediction that is durably recorded, or refuse."""
        model = self._find_model(request.model_name, request.model_version)
        try:
            request_id = tensors.read_request_id(request) or uuid.uuid4().hex
            wanted = tensors.read_wanted_outputs(request)
            images = tensors.read_images(request, model.signature)
        except tensors.ClientFaultError as fault:
            raise Refusal(Code.INVALID_ARGUMENT, str(fault)) from None
        except tensors.BatchTooLargeError as fault:
            raise Refusal(Code.RESOURCE_EXHAUSTED, str(fault)) from None
        if not self._records.available:
            raise records_away()  # before the work, for nothing could be acknowledged after it
        input_digest = hashlib.sha256(images).digest()
        outputs, cached = await self._predict(model, images, input_digest, deadline_s)
        place.work_is_done()
        artifact = model.artifact
        stored = await self._record(
            Prediction(
                request_id=request_id,
                input_digest=input_digest,
                model_name=artifact.name,
                model_version=artifact.version,
                model_digest=artifact.digest,
                outputs=outputs,
                executions=0 if cached else 1,
            ),
            deadline_s,
        )
        return self._respond(request_id, stored, wanted, cached=cached)

    async def _predict(
        self, model: LoadedModel, images: bytes, input_digest: bytes, deadline_s: float | None
    ) -> tuple[Outputs, bool]:
        key = f"{model.artifact.digest}:{input_digest.hex()}"
        if self._cache.available:
            refuse_late(deadline_s)
            found = await self._cache.find(key, len(images) // model.signature.image_bytes)
            self._metrics.count_lookup(hit=found is not None)
            if found is not None:
                return found, True
        async with self._admission.turn_to_work():
            refuse_late(deadline_s)
            self._metrics.count_execution()
            batch = len(images) // model.signature.image_bytes
            if batch * model.image_s <= LONGEST_ON_LOOP_S:
                outputs = model.predict(images)
            else:
                outputs = await asyncio.to_thread(model.predict, images)
        self._cache.keep(key, outputs)
        return outputs, False

    async def _record(self, prediction: Prediction, deadline_s: float | None) -> Stored:
        try:
            return await self._records.record(prediction, deadline_s)
        except RecordsAwayError:
            raise records_away() from None
        except TooLateError:
            raise Refusal(
                Code.DEADLINE_EXCEEDED, "deadline: passed before the record was sent; none exists"
            ) from None
        except RequestIdTakenError:
            raise Refusal(
                Code.INVALID_ARGUMENT,
                f"id: expected one id per input, saw {prediction.request_id!r} again with another "
                "image; send a new id",
            ) from None

    def _respond(
        self, request_id: str, stored: Stored, wanted: tuple[str, ...], *, cached: bool
    ) -> ModelInferResponse:
        response = ModelInferResponse(
            model_name=self._model_name, model_version=stored.model_version, id=request_id
        )
        parameters = response.parameters
        parameters["model_digest"].string_param = stored.model_digest
        parameters["replica"].string_param = self._replica
        parameters["request_id"].string_param = request_id
        parameters["cached"].bool_param = cached
        tensors.add_outputs(response, stored.outputs, wanted)
        return response
