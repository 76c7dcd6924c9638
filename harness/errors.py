"""Every error that the harness raises on purpose, and the exit status that each leads to.

MayflyError
├── ConfigurationError     resilience.toml says something that cannot be meant
├── EngineError            the Docker engine is missing, or stopped answering
├── ImageError             an image is missing, or could not be built
├── PlatformError          replicas, balancer or backing services did not come up
├── LoadError              the load generator could not do its work
├── FaultError             a fault found no target, or could not be injected or healed
│   └── UnprovenError      a fault was injected, but its effect could not be shown
└── RunFormatError         a stored run cannot be read
"""

from enum import IntEnum


class ExitStatus(IntEnum):
    """What a run's exit status says. The numbers are fixed: scripts rely on them."""

    ALL_HELD = 0
    BROKEN = 1
    INCONCLUSIVE = 6
    HARNESS_FAILED = 7


class MayflyError(Exception):
    """Says what was expected, what was seen, and what to do next."""


class ConfigurationError(MayflyError):
    """resilience.toml says something that cannot be meant."""


class EngineError(MayflyError):
    """The Docker engine is missing, or stopped answering."""


class ImageError(MayflyError):
    """An image is missing, or could not be built."""


class PlatformError(MayflyError):
    """Replicas, balancer or backing services did not come up."""


class LoadError(MayflyError):
    """The load generator could not do its work."""


class FaultError(MayflyError):
    """A fault found no target, or could not be injected or healed."""


class UnprovenError(FaultError):
    """A fault was injected, but its effect could not be shown."""


class RunFormatError(MayflyError):
    """A stored run cannot be read."""
