"""Draws photographs of parcels on a conveyor, intact or with one defect, from a seed.

Every image is drawn in the parcel's own coordinates (u, v in [-1, 1]) seen through a random
rotation, scale, offset, light and sensor noise, so that a classifier has to learn the defect, not
its place.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from service_under_test.training.canvas import SIDE_PIXELS, Plane, blank_parcel
from service_under_test.training.defects import DEFECTS, draw_label, draw_tape

CLASSES = (
    "intact",
    "crushed_corner",
    "torn_seam",
    "puncture",
    "water_stain",
    "missing_label",
    "dent",
    "tape_lift",
)


def draw_set(seed: Sequence[int], count: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Balanced classes in a fixed order of draws: the same seed gives the same bytes."""
    random = np.random.default_rng(seed)
    labels = np.arange(count, dtype=np.int64) % len(CLASSES)
    random.shuffle(labels)
    images = np.stack([draw_image(random, CLASSES[label]) for label in labels])
    return images, labels


def draw_image(random: np.random.Generator, name: str) -> NDArray[np.uint8]:
    """One photograph of a parcel of the named class."""
    parcel = blank_parcel(random)
    draw_tape(parcel, lifted=name == "tape_lift")
    draw_label(parcel, present=name != "missing_label")
    if name in DEFECTS:
        DEFECTS[name](parcel)
    picture = parcel.grey * parcel.inside + parcel.background * (1 - parcel.inside)
    return _photograph(random, picture)


def _photograph(random: np.random.Generator, picture: Plane) -> NDArray[np.uint8]:
    """Uneven light, exposure, lens blur and sensor noise."""
    y, x = np.mgrid[-1 : 1 : SIDE_PIXELS * 1j, -1 : 1 : SIDE_PIXELS * 1j]
    tilt = random.uniform(-0.18, 0.18, size=2)
    picture = picture * (random.uniform(0.8, 1.2) + tilt[0] * x + tilt[1] * y)
    blur = random.uniform(0.0, 0.22)
    for axis in (0, 1):
        near = np.roll(picture, 1, axis) + np.roll(picture, -1, axis)
        picture = picture * (1 - 2 * blur) + near * blur
    picture = picture + random.normal(0, random.uniform(0.015, 0.05), picture.shape)
    return np.clip(np.rint(picture * 255), 0, 255).astype(np.uint8)
