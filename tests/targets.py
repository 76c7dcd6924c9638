"""Something to disturb, without a platform: a target that goes down and comes up as it is told."""

from collections.abc import Callable
from dataclasses import dataclass, field

from harness.fault import Check, Injection, Planned, Stages, fault, shown
from harness.platform import Target
from harness.recorder import Recorder

Notes = list[str]


@dataclass
class Thing:
    """Fits ``Target``: something that is up or down, and writes down what is done to it."""

    name: str = "thing-1"
    up: bool = True
    restarts: int = 0
    resists: bool = False  # what is done to it has no effect
    broken_for_good: bool = False
    notes: Notes = field(default_factory=list)

    def is_running(self) -> bool:
        """Whether it is up."""
        return self.up

    def answers(self) -> bool:
        """Whether it is up, seen from outside."""
        return self.up

    def identity(self) -> str:
        """Changes with each restart."""
        return f"{self.name}#{self.restarts}"

    def successor_is_ready(self) -> bool:
        """Nobody ever takes its place."""
        return False

    def logs(self, lines: int) -> str:
        """It writes nothing."""
        return ""[:lines]

    def take_down(self) -> None:
        """Disturb it."""
        self.notes.append("inject")
        self.up = self.up and self.resists

    def bring_up(self) -> None:
        """Heal it."""
        self.notes.append("heal")
        self.up = not self.broken_for_good


def seen_by(thing: Thing, what: str, is_true: Callable[[], bool]) -> Check:
    """A check that notes that it was made, and tells what it saw."""

    def look() -> bool:
        if f"prove {what}" not in thing.notes:
            thing.notes.append(f"prove {what}")
        return is_true()

    return shown(f"{thing.name} is {what}", look, lambda: f"up: {thing.up}", within_s=0.02)


@fault
def taking_down(thing: Thing) -> Stages:
    """A fault as the guide tells to write one."""
    thing.take_down()
    yield seen_by(thing, "down", lambda: not thing.answers())
    thing.bring_up()
    yield seen_by(thing, "up", thing.answers)


def injection(of: Planned | Thing, *bystanders: Target) -> Injection:
    """A fault that is about to begin: the one above if a thing is given. Somebody stands by."""
    planned = taking_down(of) if isinstance(of, Thing) else of
    return Injection.of(planned, "story", bystanders or (Thing("bystander"),), Recorder())
