"""Runs the model with onnxruntime. Imported late and off the event loop, for it is heavy."""

import time

import numpy as np
import onnxruntime

from service_under_test.artifacts import Artifact, ArtifactError
from service_under_test.predictions import Outputs, Signature

WARM_UP_RUNS = 20
WARM_UP_BATCHES = (1, 8)


class Model:
    """One loaded model version."""

    def __init__(self, artifact: Artifact, cpu_limit: int) -> None:
        self.artifact = artifact
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = cpu_limit
        options.inter_op_num_threads = 1
        # A spinning thread uses up the CPU quota while it waits: the whole replica is throttled.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.add_session_config_entry("session.inter_op.allow_spinning", "0")
        options.log_severity_level = 4  # our own log is JSON, line by line; it must stay so
        try:
            self._session = onnxruntime.InferenceSession(
                artifact.onnx, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime's errors share no narrower ancestor
            raise _refusal(f"{type(error).__name__}: {str(error)[:300]}") from error
        self.signature = self._read_signature()
        self.image_s = 0.0

    def _read_signature(self) -> Signature:
        inputs = {node.name: node for node in self._session.get_inputs()}
        outputs = {node.name: node for node in self._session.get_outputs()}
        if set(inputs) != {"image"} or set(outputs) != {"probabilities", "label"}:
            raise _refusal(f"inputs {sorted(inputs)}, outputs {sorted(outputs)}")
        _, rows, columns = inputs["image"].shape
        classes = len(self.artifact.classes)
        if outputs["probabilities"].shape[-1] not in {classes, "classes"}:
            raise _refusal(f"{outputs['probabilities'].shape[-1]} outputs, {classes} classes named")
        return Signature(image_shape=(int(rows), int(columns)), class_count=classes)

    def predict(self, images: bytes) -> Outputs:
        """Classify one batch of images given as raw bytes."""
        shape = (-1, *self.signature.image_shape)
        batch = np.frombuffer(images, np.uint8).reshape(shape)
        probabilities, labels = self._session.run(["probabilities", "label"], {"image": batch})
        return Outputs(probabilities=probabilities.tobytes(), labels=labels.tobytes())

    def warm_up(self) -> None:
        """Run until memory is allocated and kernels are chosen; the first caller does not pay."""
        for batch in WARM_UP_BATCHES:
            images = bytes(range(256)) * (batch * self.signature.image_bytes // 256)
            for _ in range(WARM_UP_RUNS):
                begun_s = time.perf_counter()
                outputs = self.predict(images)
                self.image_s = (time.perf_counter() - begun_s) / batch
            if not np.isfinite(np.frombuffer(outputs.probabilities, np.float32)).all():
                raise _refusal("probabilities that are not finite")


def _refusal(seen: str) -> ArtifactError:
    return ArtifactError(
        "an ONNX model that takes image UINT8 [batch, rows, columns] and gives "
        "probabilities FP32 [batch, classes] and label INT64 [batch]",
        seen,
        "train and export the model again, and declare its new digest in MODEL_DIGEST",
    )
