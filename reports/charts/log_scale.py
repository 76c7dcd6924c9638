"""A logarithmic axis over whole decades, of milliseconds."""

from dataclasses import dataclass

import numpy as np

from reports.measure import Times
from reports.words import number

_DECADES = 6
_LOWEST = -1
"""A few very quick refusals must not squeeze all the rest: below 0.1 ms is drawn at 0.1 ms."""


@dataclass(frozen=True, slots=True)
class LogScale:
    """From one power of ten to another."""

    low: int
    high: int

    def share(self, latencies_s: Times) -> Times:
        """How far up each latency stands, 0 to 1."""
        exponents = np.log10(np.maximum(latencies_s * 1000, 10.0**self.low))
        result: Times = (exponents - self.low) / (self.high - self.low)
        return result

    def y(self, latency_s: float, top: int, height: int) -> float:
        """Where a latency stands on a plot, in pixels from the drawing's upper edge."""
        share = float(self.share(np.array([latency_s]))[0])
        return round(top + height * (1 - share), 1)

    def decades(self, top: int, height: int) -> dict[str, float]:
        """Where each power of ten stands, by its name."""
        result = {}
        for power in range(self.low, self.high + 1):
            value = 10.0**power
            name = f"{number(value)} ms" if value < 1000 else f"{number(value / 1000)} s"
            result[name] = self.y(value / 1000, top, height)
        return result


def log_scale(latencies_s: Times, promised_s: tuple[float, ...]) -> LogScale:
    """The scale on which all of these, and what was promised, find a place."""
    positive = np.concatenate([latencies_s[latencies_s > 0], np.array(promised_s)]) * 1000
    if len(positive) == 0:
        return LogScale(0, 1)
    low = int(np.floor(np.log10(positive.min())))
    high = int(np.ceil(np.log10(positive.max())))
    low = max(low, _LOWEST, high - _DECADES)
    return LogScale(low, max(high, low + 1))
