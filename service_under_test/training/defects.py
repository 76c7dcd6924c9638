"""What a parcel carries (tape, label) and what can be wrong with it, each drawn with chance."""

from collections.abc import Callable

import numpy as np

from service_under_test.training.canvas import Parcel, blend, soft_box, squared_distance


def draw_tape(parcel: Parcel, *, lifted: bool) -> None:
    """A strip of tape; lifted, its end curls up, shines and throws a shadow."""
    random = parcel.random
    centre, half = random.uniform(-0.45, -0.3), random.uniform(0.09, 0.13)
    tape_grey = parcel.grey + random.uniform(0.1, 0.16)
    top = random.uniform(-0.5, 0.3) if lifted else -1.0
    blend(parcel, soft_box(parcel.u, parcel.v, (centre - half, centre + half), (top, 1)), tape_grey)
    if lifted:
        slant = parcel.v + parcel.u * random.uniform(-0.4, 0.4)
        curl = soft_box(
            parcel.u, slant, (centre - half, centre + half * 1.6), (top - 0.02, top + 0.14)
        )
        shadow = soft_box(
            parcel.u, slant, (centre - half, centre + half * 1.8), (top - 0.16, top - 0.02)
        )
        blend(parcel, shadow * 0.7, 0.25)
        blend(parcel, curl, random.uniform(0.82, 0.95))


def draw_label(parcel: Parcel, *, present: bool) -> None:
    """A white address label with a bar code, or the glue that it left."""
    random = parcel.random
    left, top = random.uniform(-0.05, 0.15), random.uniform(-0.1, 0.2)
    across, down = (left, left + random.uniform(0.55, 0.7)), (top, top + random.uniform(0.4, 0.55))
    mask = soft_box(parcel.u, parcel.v, across, down)
    if not present:
        # Glue leaves a faint rectangle: an absent label is not simply an empty parcel.
        blend(parcel, mask, parcel.grey + random.uniform(0.02, 0.06))
        return
    stripes = np.sin(parcel.u * random.uniform(38, 55)) > random.uniform(-0.2, 0.4)
    lower_half = parcel.v > (down[0] + down[1]) / 2
    blend(parcel, mask, np.where(stripes & lower_half, 0.3, random.uniform(0.82, 0.95)))


def _crush_corner(parcel: Parcel) -> None:
    """Presses one corner in and leaves a dark crease."""
    random = parcel.random
    side_u, side_v = random.choice([-1, 1]), random.choice([-1, 1])
    weight = random.uniform(0.8, 1.2)
    reach = side_u * parcel.u * weight + side_v * parcel.v / weight
    reach = reach + 0.05 * np.sin((side_u * parcel.u - side_v * parcel.v) * random.uniform(12, 20))
    depth = random.uniform(1.3, 1.62)
    parcel.inside = parcel.inside * (1 - np.clip((reach - depth) * 14, 0, 1))
    crease = np.exp(-(((reach - depth + 0.14) / 0.06) ** 2))
    blend(parcel, crease * random.uniform(0.5, 0.9), random.uniform(0.2, 0.35))


def _tear_seam(parcel: Parcel) -> None:
    """Opens a dark, wavy gap with a bright lip near the upper seam."""
    random = parcel.random
    line = random.uniform(-0.75, -0.4) + 0.04 * np.sin(parcel.u * random.uniform(9, 16))
    line = line + 0.025 * np.sin(parcel.u * random.uniform(25, 40))
    start = random.uniform(-0.7, 0.1)
    along = soft_box(parcel.u, np.zeros_like(parcel.u), (start, start + 0.75), (-1, 1))
    gap = np.exp(-(((parcel.v - line) / random.uniform(0.04, 0.075)) ** 2))
    lip = np.exp(-(((parcel.v - line + 0.12) / 0.04) ** 2))
    blend(parcel, lip * along * 0.5, 0.85)
    blend(parcel, gap * along * random.uniform(0.8, 1.0), random.uniform(0.08, 0.2))


def _puncture(parcel: Parcel) -> None:
    """Makes a small dark hole with a torn, bright edge."""
    random = parcel.random
    spot = squared_distance(
        parcel, random.uniform(-0.7, 0.7), random.uniform(-0.7, 0.7), random.uniform(0.09, 0.16)
    )
    blend(parcel, np.exp(-((np.sqrt(spot) - 1.3) ** 2) * 6) * 0.6, 0.9)
    hole = 1 / (1 + np.exp(np.minimum((spot - 1) * 5, 60)))
    blend(parcel, hole, random.uniform(0.05, 0.15))


def _stain(parcel: Parcel) -> None:
    """Darkens a wet patch, most at its rim."""
    random = parcel.random
    u0, v0 = random.uniform(-0.5, 0.5), random.uniform(-0.6, 0.6)
    turn = np.arctan2(parcel.v - v0, parcel.u - u0)
    wave = 1 + 0.15 * np.sin(turn * random.integers(2, 5) + random.uniform(0, 6))
    spot = np.sqrt(squared_distance(parcel, u0, v0, random.uniform(0.3, 0.5))) / wave
    wet = 1 / (1 + np.exp((spot - 1) * 14))
    rim = np.exp(-(((spot - 1) / 0.12) ** 2))
    parcel.grey = parcel.grey * (1 - random.uniform(0.16, 0.3) * wet - 0.18 * rim)


def _dent(parcel: Parcel) -> None:
    """Shades a hollow: bright on one side, dark on the other."""
    random = parcel.random
    u0, v0 = random.uniform(-0.6, 0.6), random.uniform(-0.6, 0.6)
    radius, angle = random.uniform(0.2, 0.36), random.uniform(-0.6, 0.6) + np.pi / 4
    slope = (np.cos(angle) * (parcel.u - u0) + np.sin(angle) * (parcel.v - v0)) / radius
    shade = slope * np.exp(-squared_distance(parcel, u0, v0, radius))
    parcel.grey = parcel.grey + random.uniform(0.35, 0.65) * shade


DEFECTS: dict[str, Callable[[Parcel], None]] = {
    "crushed_corner": _crush_corner,
    "torn_seam": _tear_seam,
    "puncture": _puncture,
    "water_stain": _stain,
    "dent": _dent,
}
