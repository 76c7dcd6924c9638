"""A small bar inside a table of proofs: a measured number, and the bounds that it had to meet."""

import math

from markupsafe import Markup

from harness.history import Proof

_BEGIN, _END = 20.0, 80.0  # percent of the width, where the bounds stand


def within(proof: Proof) -> Markup:
    """The number as a mark on a line with its bounds shaded; empty where there is no stretch."""
    value, least, most = proof.measured, proof.least, proof.most
    if value is None or least is None or most is None:
        return Markup("")
    span = most - least
    if not (0 < span < math.inf and math.isfinite(value)):
        return Markup("")
    place = _BEGIN + (_END - _BEGIN) * (value - least) / span
    at = round(min(max(place, 0.0), 99.0), 2)
    label = f"measured {value:.4g} {proof.unit}, expected {least:.4g} to {most:.4g}"
    return Markup(
        '<svg class="bar bounds {}" role="img" aria-label="{}" height="9">'
        '<rect class="track" y="3" width="100%" height="4" rx="2"/>'
        '<rect class="expected" x="{}%" y="1" width="{}%" height="7" rx="2"/>'
        '<rect class="mark" x="{}%" width="3" height="9"/></svg>'
    ).format("held" if proof.proven else "broken", label, _BEGIN, _END - _BEGIN, at)
