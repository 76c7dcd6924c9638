"""Surges as Locust shapes: a step, a ramp, a spike.

They work in Locust as they are (``locust -f faults/shapes.py,my_users.py``, which takes the first
one, or with ``--class-picker``), and as a profile of Mayfly's own load
(``harness.load.shape.read("faults/shapes.py:Spike")``), where one user stands for one request a
second. Other numbers than these are class attributes of a subclass::

    from faults import shapes

    class BlackFriday(shapes.Spike):
        steady_users = 200
        peak_users = 2000

Importing this module imports Locust, which patches the sockets of its process: so nothing that
pytest runs may import it.
"""

from typing import ClassVar, TypeAlias

from locust import LoadTestShape

Tick: TypeAlias = tuple[int, float] | None  # users, and users started or stopped a second


class _Surge(LoadTestShape):
    """What all three have: a steady load, a peak, and how long each of them lasts."""

    abstract: ClassVar[bool] = True

    steady_users: int = 100
    peak_users: int = 300
    steady_s: float = 10.0  # before the surge
    peak_s: float = 30.0

    def __init_subclass__(cls) -> None:
        """Refuse what cannot be meant, when the class is made. Raises ValueError."""
        super().__init_subclass__()
        for name in ("steady_users", "peak_users"):
            users = getattr(cls, name)
            if not isinstance(users, int) or not 1 <= users <= 100_000:
                raise ValueError(f"{cls.__name__}.{name}: expected 1 to 100000, got {users!r}")
        for name in ("steady_s", "peak_s", "ramp_s", "after_s"):
            least = 1 if name == "peak_s" else 0  # Locust looks once a second: it might miss less
            seconds = getattr(cls, name, 1.0)
            if not least <= seconds <= 86_400:
                expected = f"{least} to 86400 s"
                raise ValueError(f"{cls.__name__}.{name}: expected {expected}, got {seconds!r}")
        if cls.steady_users == cls.peak_users:
            raise ValueError(f"{cls.__name__}.peak_users: expected other than steady_users")

    @property
    def time_s(self) -> float:
        """Since the beginning."""
        return float(self.get_run_time())  # type: ignore[no-untyped-call]  # Locust's has no types

    @property
    def at_once(self) -> float:
        """A spawn rate at which Locust changes the number of users in one go."""
        return float(max(self.peak_users, self.steady_users))


class Step(_Surge):
    """Steady, then at once the peak, which stays until the end."""

    def tick(self) -> Tick:
        """Users wanted now; None at the end."""
        time_s = self.time_s
        if time_s < self.steady_s:
            return self.steady_users, self.at_once
        return (self.peak_users, self.at_once) if time_s < self.steady_s + self.peak_s else None


class Ramp(_Surge):
    """Steady, then in a straight line up to the peak, which stays until the end."""

    ramp_s: float = 20.0

    def tick(self) -> Tick:
        """Users wanted now, at the rate at which they come; None at the end."""
        time_s = self.time_s
        if time_s < self.steady_s:
            return self.steady_users, self.at_once
        if time_s >= self.steady_s + self.ramp_s + self.peak_s:
            return None
        difference = abs(self.peak_users - self.steady_users)
        return self.peak_users, difference / self.ramp_s if self.ramp_s else self.at_once


class Spike(_Surge):
    """Steady, at once the peak, and at once back to where it was."""

    peak_s: float = 5.0
    after_s: float = 20.0

    def tick(self) -> Tick:
        """Users wanted now; None at the end."""
        time_s = self.time_s - self.steady_s
        if time_s >= self.peak_s + self.after_s:
            return None
        is_peak = 0 <= time_s < self.peak_s
        return self.peak_users if is_peak else self.steady_users, self.at_once


class Flash(Spike):
    """A spike that is over before anyone could scale, in little time."""

    steady_s: float = 3.0
    peak_s: float = 3.0
    after_s: float = 3.0
