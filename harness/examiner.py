"""Asks a replica that has just become ready for golden answers, directly, past the balancer.

So every cold start of a run has a first correct answer, a digest and a greatest difference from the
golden outputs, with or without load.
"""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import grpc
from google.protobuf.message import DecodeError
from open_inference.grpc.protocol import (
    ModelInferResponse,
    ModelMetadataRequest,
    ModelMetadataResponse,
)
from open_inference.grpc.service import GRPCInferenceServiceStub

from harness.errors import PlatformError
from harness.history import Value
from harness.load.oip import METHOD, Workload
from harness.probes import channel
from harness.tables import CORRECT

_CASES = 5
_TIMEOUT_S = 5.0
_AGAIN_AFTER_S = 0.05


def _ask(link: grpc.Channel, body: bytes) -> bytes:
    """One golden request, asked again for a while where the answer is UNAVAILABLE."""
    infer = link.unary_unary(METHOD, _as_it_is, _as_it_is)
    pause = threading.Event()
    deadline_s = time.monotonic() + _TIMEOUT_S
    while True:
        try:
            answer: bytes = infer(body, timeout=_TIMEOUT_S)
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.UNAVAILABLE or time.monotonic() > deadline_s:
                raise
            pause.wait(_AGAIN_AFTER_S)
        else:
            return answer


def _as_it_is(message: bytes) -> bytes:
    return message


@dataclass(frozen=True, slots=True)
class Examination:
    """What a replica answered to its first golden requests."""

    first_correct_s: float
    details: dict[str, Value]


@dataclass(frozen=True, slots=True)
class Examiner:
    """Examines replicas of one model against one golden set."""

    model: str
    workload: Workload
    run_id: str

    @classmethod
    def of(cls, model: str, golden: Path, run_id: str, tolerance: float) -> "Examiner":
        """An examiner with the golden set of a file."""
        return cls(model, Workload.load(golden, model, 0, tolerance), run_id)

    def examine(self, replica: str, address: str) -> Examination:
        """Raises PlatformError where the replica cannot answer, or answers wrongly."""
        with channel(address) as link:
            try:
                return self._examine(replica, link)
            except grpc.RpcError as error:
                raise PlatformError(
                    f"{replica} says it is ready, but answered a golden request with "
                    f"{error.code().name}: {error.details()}"
                ) from error
            except (ValueError, DecodeError) as error:
                raise PlatformError(
                    f"{replica} answered a golden request with what cannot be read: {error}"
                ) from error

    def _examine(self, replica: str, link: grpc.Channel) -> Examination:
        answers: list[bytes] = []
        first_correct_s = 0.0
        for case in range(min(_CASES, self.workload.cases)):
            request_id = f"{self.run_id}-{replica}-{case}"
            answer = _ask(link, self.workload.body(case, request_id))
            if self.workload.judge(case, request_id, answer).correct != CORRECT:
                raise PlatformError(
                    f"{replica} says it is ready, but its answer to golden case {case} is wrong "
                    f"(request {request_id})"
                )
            first_correct_s = first_correct_s or time.monotonic()
            answers.append(answer)
        metadata = GRPCInferenceServiceStub(link).ModelMetadata(
            ModelMetadataRequest(name=self.model), timeout=_TIMEOUT_S
        )
        return Examination(first_correct_s, self._details(answers, metadata))

    def _details(
        self, answers: Sequence[bytes], metadata: ModelMetadataResponse
    ) -> dict[str, Value]:
        last = ModelInferResponse.FromString(answers[-1])
        told = last.parameters
        digest = told["model_digest"].string_param if "model_digest" in told else ""
        return {
            "digest": digest[:16],
            "version": last.model_version,
            "versions": ",".join(metadata.versions),
            "golden_difference": max(
                self.workload.difference(case, answer) for case, answer in enumerate(answers)
            ),
            "cases": len(answers),
        }
