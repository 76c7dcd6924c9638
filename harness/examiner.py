"""Asks a replica that has just become ready for golden answers, directly, past the balancer.

So every cold start of a run has a first correct answer, a digest and a greatest difference from the
golden outputs, with or without load.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import grpc
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

    def _examine(self, replica: str, link: grpc.Channel) -> Examination:
        infer = link.unary_unary(METHOD, _as_it_is, _as_it_is)
        answers: list[bytes] = []
        first_correct_s = 0.0
        for case in range(_CASES):
            request_id = f"{self.run_id}-{replica}-{case}"
            answer = infer(self.workload.body(case, request_id), timeout=_TIMEOUT_S)
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
