"""What a person at a terminal sees, on a terminal of the tests' own."""

import io
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from harness.progress import Progress

_MARK = b"<end>"


@dataclass(frozen=True)
class Terminal:
    """A pseudo-terminal: what is written to one end is read at the other."""

    screen: int
    keyboard: int

    def progress(self) -> Progress:
        """Progress on this terminal, which the caller closes."""
        return Progress(os.fdopen(os.dup(self.keyboard), "w"))

    def shown(self) -> str:
        """What has appeared since the last look."""
        # The kernel hands over in pieces and in its own time: read up to a mark of our own.
        os.write(self.keyboard, _MARK)
        seen = b""
        while not seen.endswith(_MARK):
            seen += os.read(self.screen, 65536)
        return seen.removesuffix(_MARK).decode()

    def is_quiet(self) -> bool:
        """Whether nothing has appeared since the last look."""
        return self.shown() == ""


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    """A terminal of the system's default size."""
    screen, keyboard = os.openpty()
    yield Terminal(screen, keyboard)
    os.close(screen)
    os.close(keyboard)


def test_says_what_for_whom_and_how_long(terminal: Terminal) -> None:
    """One line: the scenario, for how long it has run, and what is being done."""
    progress = terminal.progress()
    progress.scenario("test_rescheduling")
    progress.doing("injecting kill into replica-1")
    progress.close()

    assert "test_rescheduling ·   0.0 s · injecting kill into replica-1" in terminal.shown()


def test_before_the_first_scenario(terminal: Terminal) -> None:
    """Until a scenario begins it is Mayfly itself that works."""
    progress = terminal.progress()
    progress.doing("building images")
    progress.close()

    assert "mayfly · " in terminal.shown()


def test_one_line_that_is_written_over(terminal: Terminal) -> None:
    """Each message clears the last one; there is no line feed, and nothing is left at the end."""
    progress = terminal.progress()
    for what in ("first", "second"):
        progress.doing(what)
    progress.close()

    shown = terminal.shown()
    assert "\n" not in shown
    cleared = shown.split("\r\x1b[2K")
    assert [each.rpartition(" · ")[2] for each in cleared] == ["", "first", "second", ""]


def test_long_message_stays_on_its_line(terminal: Terminal) -> None:
    """A message longer than the terminal is wide is cut, since a wrapped line cannot be cleared."""
    progress = terminal.progress()
    progress.doing("x" * 500)
    progress.close()

    assert max(len(each) for each in terminal.shown().split("\r\x1b[2K")) == 79


def test_nothing_after_close(terminal: Terminal) -> None:
    """Once closed nothing is written, and closing again is no error."""
    progress = terminal.progress()
    progress.close()
    terminal.shown()
    progress.doing("too late")
    progress.done()
    progress.close()

    assert terminal.is_quiet()


def test_on_terminal(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error output is used if it is a terminal, through a descriptor of its own."""
    with os.fdopen(os.dup(terminal.keyboard), "w") as err:
        monkeypatch.setattr(sys, "__stderr__", err)
        progress = Progress.on_terminal()
    progress.doing("still writing")
    progress.close()

    assert "still writing" in terminal.shown()


def test_silent_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the error output is a file or a pipe, nothing is written."""
    err = io.StringIO()
    monkeypatch.setattr(sys, "__stderr__", err)
    progress = Progress.on_terminal()
    progress.scenario("test_rescheduling")
    progress.doing("something")
    progress.done()
    progress.close()

    assert err.getvalue() == ""


def test_without_error_output(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process without error output is no reason to fail."""
    monkeypatch.setattr(sys, "__stderr__", None)

    Progress.on_terminal().doing("something")
