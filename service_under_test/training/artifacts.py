"""Writes a version's artifacts: the model, its golden cases and the manifest that names both."""

import hashlib
import json
import platform
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray

from service_under_test.training.canvas import SIDE_PIXELS
from service_under_test.training.dataset import CLASSES
from service_under_test.training.graph import OPSET

Images = NDArray[np.uint8]
Labels = NDArray[np.int64]


def open_session(model: bytes) -> onnxruntime.InferenceSession:
    """A session on one thread, as the service runs it."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def infer_one_by_one(
    session: onnxruntime.InferenceSession, images: Images
) -> tuple[NDArray[np.float32], Labels]:
    """Probabilities and labels, each image in a batch of its own."""
    names = ["probabilities", "label"]
    answers = [session.run(names, {"image": image[np.newaxis]}) for image in images]
    probabilities = np.concatenate([answer[0] for answer in answers])
    return probabilities, np.concatenate([answer[1] for answer in answers])


def measure_accuracy(session: onnxruntime.InferenceSession, images: Images, truth: Labels) -> float:
    """The share of images whose label is the truth, from 0 to 1."""
    _, labels = infer_one_by_one(session, images)
    return float(np.mean(labels == truth))


def write_golden(
    path: Path, session: onnxruntime.InferenceSession, images: Images, truth: Labels
) -> None:
    """Saves images, what the model answers to each, and the truth."""
    probabilities, labels = infer_one_by_one(session, images)
    arrays: dict[str, Any] = {
        "input.image": images,
        "output.probabilities": probabilities,
        "output.label": labels,
        "label": truth,
    }
    np.savez_compressed(path, **arrays)


def write_manifest(
    folder: Path, *, version: str, seed: int, held_out_accuracy: float, golden_cases: int
) -> None:
    """Describes what lies in the folder, with a digest of each file."""
    manifest = {
        "name": "defects",
        "version": version,
        "file": "model.onnx",
        "sha256": _sha256(folder / "model.onnx"),
        "classes": list(CLASSES),
        "inputs": [_tensor("image", "UINT8", [-1, SIDE_PIXELS, SIDE_PIXELS])],
        "outputs": [
            _tensor("probabilities", "FP32", [-1, len(CLASSES)]),
            _tensor("label", "INT64", [-1]),
        ],
        "seed": seed,
        "held_out_accuracy": round(held_out_accuracy, 4),
        "golden": {
            "file": "golden.npz",
            "cases": golden_cases,
            "sha256": _sha256(folder / "golden.npz"),
        },
        "opset": OPSET,
        "tools": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "torch": str(torch.__version__),
            "onnx": onnx.__version__,
            "onnxruntime": onnxruntime.__version__,
        },
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def _tensor(name: str, datatype: str, shape: list[int]) -> dict[str, object]:
    """A tensor's description in the terms of the Open Inference Protocol; -1 is any size."""
    return {"name": name, "datatype": datatype, "shape": shape}


def _sha256(path: Path) -> str:
    """The file's digest in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
