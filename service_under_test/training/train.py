"""Draws the data, trains the classifier and writes one version's artifacts.

`python -m service_under_test.training.train --version v1 --output models/v1`

The data depend on the seed alone, so that versions can be compared on the same images; the first
weights and the order of batches depend on the seed and the version's number.
"""

import argparse
import logging
import re
from pathlib import Path

from service_under_test.training.artifacts import (
    measure_accuracy,
    open_session,
    write_golden,
    write_manifest,
)
from service_under_test.training.dataset import CLASSES, draw_set
from service_under_test.training.fitting import fit
from service_under_test.training.graph import build_graph
from service_under_test.training.network import folded_layers

DEFAULT_SEED = 20260
TRAINING_IMAGES = 16_000
HELD_OUT_IMAGES = 4_000
GOLDEN_CASES = 512
_log = logging.getLogger(__name__)


def main() -> None:
    """Reads the command line and builds the version it names."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--version", required=True, type=_version_number, help="such as v1")
    parser.add_argument("--output", required=True, type=Path, help="folder of the artifacts")
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED)
    arguments = parser.parse_args()
    build_version(arguments.version, arguments.output, arguments.seed)


def build_version(version_number: str, output: Path, seed: int) -> None:
    """Trains one version and writes model.onnx, golden.npz and manifest.json."""
    images, labels = draw_set([seed, 0], TRAINING_IMAGES)
    _log.info("drew %d images to train on", len(images))
    model = fit(images, labels, len(CLASSES), seed + int(version_number))
    convolutions, head = folded_layers(model)
    exported = build_graph(convolutions, head, version_number)
    session = open_session(exported)
    accuracy = measure_accuracy(session, *draw_set([seed, 1], HELD_OUT_IMAGES))
    _log.info("held-out accuracy %.4f over %d images", accuracy, HELD_OUT_IMAGES)
    output.mkdir(parents=True, exist_ok=True)
    (output / "model.onnx").write_bytes(exported)
    write_golden(output / "golden.npz", session, *draw_set([seed, 2], GOLDEN_CASES))
    write_manifest(
        output,
        version=version_number,
        seed=seed,
        held_out_accuracy=accuracy,
        golden_cases=GOLDEN_CASES,
    )
    _log.info("wrote %s", output)


def _version_number(name: str) -> str:
    """The number in a version's name: "1" for "v1"."""
    match = re.fullmatch(r"v([1-9][0-9]*)", name)
    if match is None:
        raise argparse.ArgumentTypeError(f"expected a name like v1, saw {name!r}")
    return match[1]


if __name__ == "__main__":
    main()
