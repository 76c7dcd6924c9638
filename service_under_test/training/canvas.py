"""The canvas: one parcel's own coordinates, and the few operations that draw on it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SIDE_PIXELS = 64
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


def blank_parcel(random: np.random.Generator) -> Parcel:
    """A plain cardboard parcel on the belt, seen at a random angle, place and scale."""
    y, x = np.mgrid[-1 : 1 : SIDE_PIXELS * 1j, -1 : 1 : SIDE_PIXELS * 1j]
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
        inside=soft_box(u, v, (-1, 1), (-1, 1)),
        background=np.full_like(u, random.uniform(0.12, 0.3)) + 0.04 * np.sin(x * 9),
    )


def soft_box(u: Plane, v: Plane, across: tuple[float, float], down: tuple[float, float]) -> Plane:
    """1 inside the box, 0 outside, with an edge of about a pixel."""
    distance = np.minimum(
        np.minimum(u - across[0], across[1] - u), np.minimum(v - down[0], down[1] - v)
    )
    return np.clip(distance * 20 + 0.5, 0, 1)


def squared_distance(parcel: Parcel, u0: float, v0: float, radius: float) -> Plane:
    """Squared distance from a point in units of the radius."""
    distance: Plane = ((parcel.u - u0) ** 2 + (parcel.v - v0) ** 2) / radius**2
    return distance


def blend(parcel: Parcel, mask: Plane, grey: Plane | float) -> None:
    """Lays a grey value over the parcel where the mask is 1."""
    parcel.grey = parcel.grey * (1 - mask) + grey * mask
