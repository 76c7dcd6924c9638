"""The console script: finds commands, and ends with their status."""

import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points

import pytest

from harness import cli
from harness.errors import EngineError

received: list[list[str]] = []


def works(arguments: list[str]) -> int:
    """A command that notes its arguments and ends with a status of its own."""
    received.append(arguments)
    return 3


def fails(_arguments: list[str]) -> int:
    """A command that meets an error which the harness knows."""
    raise EngineError("expected a Docker engine, but none answered. Start it")


def has_a_defect(_arguments: list[str]) -> int:
    """A command with a mistake in it."""
    raise ZeroDivisionError


@pytest.fixture(autouse=True)
def commands(monkeypatch: pytest.MonkeyPatch) -> None:
    """These three commands instead of the installed ones."""
    received.clear()
    here: tuple[Callable[[list[str]], int], ...] = (works, fails, has_a_defect)
    entries = [
        EntryPoint(each.__name__, f"{__name__}:{each.__name__}", "mayfly.commands") for each in here
    ]
    monkeypatch.setattr(cli, "entry_points", lambda group: entries if group else [])


def test_runs_a_command() -> None:
    """A command gets the words after its name, and its status is the script's."""
    assert cli.main(["works", "RUN_DIR", "--compare"]) == 3
    assert received == [["RUN_DIR", "--compare"]]


def test_reads_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without arguments it is the process's command line that counts."""
    monkeypatch.setattr(sys, "argv", ["mayfly", "works", "x"])

    assert cli.main() == 3
    assert received == [["x"]]


def test_unknown_command(capsys: pytest.CaptureFixture[str]) -> None:
    """An unknown command is status 2, and the known ones are named."""
    assert cli.main(["hael"]) == 2
    assert capsys.readouterr().err == (
        "mayfly: no command 'hael'; commands: fails, has_a_defect, works\n"
    )
    assert received == []


@pytest.mark.parametrize(("words", "status"), [(["--help"], 0), (["-h"], 0), ([], 2)])
def test_help(capsys: pytest.CaptureFixture[str], words: list[str], status: int) -> None:
    """Asking for help succeeds, saying nothing at all does not; both name the commands."""
    assert cli.main(words) == status
    assert "commands: fails, has_a_defect, works" in capsys.readouterr().err


def test_known_error(capsys: pytest.CaptureFixture[str]) -> None:
    """An error that the harness knows is one line with the command's name, and status 7."""
    assert cli.main(["fails"]) == 7

    captured = capsys.readouterr()
    assert captured.err == ("mayfly fails: expected a Docker engine, but none answered. Start it\n")
    assert captured.out == ""


def test_defect() -> None:
    """A mistake of ours is not dressed up as something expected."""
    with pytest.raises(ZeroDivisionError):
        cli.main(["has_a_defect"])


def test_installed_commands() -> None:
    """The commands that are installed can all be loaded."""
    installed = {entry.name: entry.load() for entry in entry_points(group="mayfly.commands")}

    assert {"heal", "judge", "report", "setup"} <= set(installed)
    assert all(callable(command) for command in installed.values())
