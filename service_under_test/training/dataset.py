"""Draws photographs of parcels on a conveyor, intact or with one defect, from a seed.

Every image is drawn in the parcel's own coordinates (u, v in [-1, 1]) seen through a random rotation,
scale, offset, light and sensor noise, so that a classifier has to learn the defect and not its place.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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
SIDE = 64
Plane = NDArray[np.float64]


@dataclass(slots=True)
class Parcel:
    """One image while it is drawn: the parcel's coordinates and the grey values, 0 to 1."""

    random: np.random.Generator
    u: Plane
    v: Plane
    grey: Plane
    inside: Plane
    background: Plane


def draw_set(seed: int, count: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Balanced classes in a fixed order of draws: the same seed gives the same bytes."""
    random = np.random.default_rng(seed)
    labels = np.arange(count, dtype=np.int64) % len(CLASSES)
    random.shuffle(labels)
    images = np.stack([draw_image(random, CLASSES[label]) for label in labels])
    return images, labels


def draw_image(random: np.random.Generator, name: str) -> NDArray[np.uint8]:
    parcel = _blank_parcel(random)
    _draw_tape(parcel, lifted=name == "tape_lift")
    _draw_label(parcel, present=name != "missing_label")
    if name in _DEFECTS:
        _DEFECTS[name](parcel)
    picture = parcel.grey * parcel.inside + parcel.background * (1 - parcel.inside)
    return _photograph(random, picture)


def _blank_parcel(random: np.random.Generator) -> Parcel:
    y, x = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    angle = random.uniform(-0.5, 0.5)
    x, y = x - random.uniform(-0.1, 0.1), y - random.uniform(-0.1, 0.1)
    u = (np.cos(angle) * x + np.sin(angle) * y) / random.uniform(0.62, 0.78)
    v = (-np.sin(angle) * x + np.cos(angle) * y) / random.uniform(0.58, 0.74)
    cardboard = random.uniform(0.48, 0.66) + 0.015 * np.sin(v * random.uniform(30, 45))
    return Parcel(
        random=random,
        u=u,
        v=v,
        grey=cardboard,
        inside=_soft_box(u, v, (-1, 1), (-1, 1)),
        background=np.full_like(u, random.uniform(0.12, 0.3)) + 0.04 * np.sin(x * 9),
    )


def _soft_box(u: Plane, v: Plane, across: tuple[float, float], down: tuple[float, float]) -> Plane:
    """1 inside the box, 0 outside, with an edge of about a pixel."""
    distance = np.minimum(
        np.minimum(u - across[0], across[1] - u), np.minimum(v - down[0], down[1] - v)
    )
    return np.clip(distance * 20 + 0.5, 0, 1)


def _spot(parcel: Parcel, u0: float, v0: float, radius: float) -> Plane:
    """Squared distance from a point in units of the radius."""
    distance: Plane = ((parcel.u - u0) ** 2 + (parcel.v - v0) ** 2) / radius**2
    return distance


def _blend(parcel: Parcel, mask: Plane, grey: Plane | float) -> None:
    parcel.grey = parcel.grey * (1 - mask) + grey * mask


def _draw_tape(parcel: Parcel, *, lifted: bool) -> None:
    random = parcel.random
    centre, half = random.uniform(-0.45, -0.3), random.uniform(0.09, 0.13)
    tape_grey = parcel.grey + random.uniform(0.1, 0.16)
    top = random.uniform(-0.5, 0.3) if lifted else -1.0
    _blend(
        parcel, _soft_box(parcel.u, parcel.v, (centre - half, centre + half), (top, 1)), tape_grey
    )
    if lifted:
        slant = parcel.v + parcel.u * random.uniform(-0.4, 0.4)
        curl = _soft_box(
            parcel.u, slant, (centre - half, centre + half * 1.6), (top - 0.02, top + 0.14)
        )
        shadow = _soft_box(
            parcel.u, slant, (centre - half, centre + half * 1.8), (top - 0.16, top - 0.02)
        )
        _blend(parcel, shadow * 0.7, 0.25)
        _blend(parcel, curl, random.uniform(0.82, 0.95))


def _draw_label(parcel: Parcel, *, present: bool) -> None:
    random = parcel.random
    left, top = random.uniform(-0.05, 0.15), random.uniform(-0.1, 0.2)
    across, down = (left, left + random.uniform(0.55, 0.7)), (top, top + random.uniform(0.4, 0.55))
    mask = _soft_box(parcel.u, parcel.v, across, down)
    if not present:
        # Glue leaves a faint rectangle: an absent label is not simply an empty parcel.
        _blend(parcel, mask, parcel.grey + random.uniform(0.02, 0.06))
        return
    stripes = np.sin(parcel.u * random.uniform(38, 55)) > random.uniform(-0.2, 0.4)
    lower_half = parcel.v > (down[0] + down[1]) / 2
    _blend(parcel, mask, np.where(stripes & lower_half, 0.3, random.uniform(0.82, 0.95)))


def _crush_corner(parcel: Parcel) -> None:
    random = parcel.random
    side_u, side_v = random.choice([-1, 1]), random.choice([-1, 1])
    weight = random.uniform(0.8, 1.2)
    reach = side_u * parcel.u * weight + side_v * parcel.v / weight
    reach = reach + 0.05 * np.sin((side_u * parcel.u - side_v * parcel.v) * random.uniform(12, 20))
    depth = random.uniform(1.3, 1.62)
    parcel.inside = parcel.inside * (1 - np.clip((reach - depth) * 14, 0, 1))
    crease = np.exp(-(((reach - depth + 0.14) / 0.06) ** 2))
    _blend(parcel, crease * random.uniform(0.5, 0.9), random.uniform(0.2, 0.35))


def _tear_seam(parcel: Parcel) -> None:
    random = parcel.random
    line = random.uniform(-0.75, -0.4) + 0.04 * np.sin(parcel.u * random.uniform(9, 16))
    line = line + 0.025 * np.sin(parcel.u * random.uniform(25, 40))
    start = random.uniform(-0.7, 0.1)
    along = _soft_box(parcel.u, np.zeros_like(parcel.u), (start, start + 0.75), (-1, 1))
    gap = np.exp(-(((parcel.v - line) / random.uniform(0.04, 0.075)) ** 2))
    lip = np.exp(-(((parcel.v - line + 0.12) / 0.04) ** 2))
    _blend(parcel, lip * along * 0.5, 0.85)
    _blend(parcel, gap * along * random.uniform(0.8, 1.0), random.uniform(0.08, 0.2))


def _puncture(parcel: Parcel) -> None:
    random = parcel.random
    spot = _spot(
        parcel, random.uniform(-0.7, 0.7), random.uniform(-0.7, 0.7), random.uniform(0.09, 0.16)
    )
    _blend(parcel, np.exp(-((np.sqrt(spot) - 1.3) ** 2) * 6) * 0.6, 0.9)
    _blend(parcel, 1 / (1 + np.exp((spot - 1) * 5)), random.uniform(0.05, 0.15))


def _stain(parcel: Parcel) -> None:
    random = parcel.random
    u0, v0 = random.uniform(-0.5, 0.5), random.uniform(-0.6, 0.6)
    turn = np.arctan2(parcel.v - v0, parcel.u - u0)
    wave = 1 + 0.15 * np.sin(turn * random.integers(2, 5) + random.uniform(0, 6))
    spot = np.sqrt(_spot(parcel, u0, v0, random.uniform(0.3, 0.5))) / wave
    wet = 1 / (1 + np.exp((spot - 1) * 14))
    rim = np.exp(-(((spot - 1) / 0.12) ** 2))
    parcel.grey = parcel.grey * (1 - random.uniform(0.16, 0.3) * wet - 0.18 * rim)


def _dent(parcel: Parcel) -> None:
    random = parcel.random
    u0, v0 = random.uniform(-0.6, 0.6), random.uniform(-0.6, 0.6)
    radius, angle = random.uniform(0.2, 0.36), random.uniform(-0.6, 0.6) + np.pi / 4
    slope = (np.cos(angle) * (parcel.u - u0) + np.sin(angle) * (parcel.v - v0)) / radius
    shade = slope * np.exp(-_spot(parcel, u0, v0, radius))
    parcel.grey = parcel.grey + random.uniform(0.35, 0.65) * shade


_DEFECTS: dict[str, Callable[[Parcel], None]] = {
    "crushed_corner": _crush_corner,
    "torn_seam": _tear_seam,
    "puncture": _puncture,
    "water_stain": _stain,
    "dent": _dent,
}


def _photograph(random: np.random.Generator, picture: Plane) -> NDArray[np.uint8]:
    """Uneven light, exposure, lens blur and sensor noise."""
    y, x = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    tilt = random.uniform(-0.18, 0.18, size=2)
    picture = picture * (random.uniform(0.8, 1.2) + tilt[0] * x + tilt[1] * y)
    blur = random.uniform(0.0, 0.22)
    for axis in (0, 1):
        near = np.roll(picture, 1, axis) + np.roll(picture, -1, axis)
        picture = picture * (1 - 2 * blur) + near * blur
    picture = picture + random.normal(0, random.uniform(0.015, 0.05), picture.shape)
    return np.clip(np.rint(picture * 255), 0, 255).astype(np.uint8)
