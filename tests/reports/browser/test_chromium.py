"""Where the browser comes from, and what is said where there is none."""

from pathlib import Path

import pytest

from harness import engine
from harness.errors import EngineError
from tests.reports.browser import chromium


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is the whole search path, with nothing in it."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CHROMIUM", raising=False)
    return tmp_path


def program(path: Path) -> Path:
    """A file that can be run."""
    path.touch(mode=0o755)
    return path


def ignore(_what: str) -> None:
    """Stands for a person who does not look."""


def test_browser_is_found(bare: Path) -> None:
    """Any of the names that systems give it will do, and nothing is installed."""
    installed = program(bare / "google-chrome")

    assert str(installed) == chromium.ensure(ignore)


def test_named_browser_comes_first(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment's word outweighs what is installed."""
    program(bare / "chromium")
    named = program(bare / "another")
    monkeypatch.setenv("CHROMIUM", str(named))

    assert str(named) == chromium.ensure(ignore)


def test_named_browser_that_is_none(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong name is an error, and no other browser takes its place."""
    program(bare / "chromium")
    monkeypatch.setenv("CHROMIUM", str(bare / "missing"))

    with pytest.raises(chromium.BrowserError, match=r"CHROMIUM=.*missing, but nothing there"):
        chromium.ensure(ignore)


def test_missing_browser_is_installed(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where packages may be installed, Debian's is, and it is found then."""
    monkeypatch.setattr(
        engine, "install_packages", lambda _say, *names: [program(bare / each) for each in names]
    )

    assert str(bare / "chromium") == chromium.ensure(ignore)


@pytest.mark.usefixtures("bare")
def test_missing_browser_on_a_foreign_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Elsewhere the error says what was looked for, and what to install."""

    def refuse(*_words: object) -> None:
        raise EngineError("may not")

    monkeypatch.setattr(engine, "install_packages", refuse)

    with pytest.raises(
        chromium.BrowserError, match=r"sudo apt-get install chromium.*CHROMIUM=PATH"
    ):
        chromium.ensure(ignore)


@pytest.mark.usefixtures("bare")
def test_start_without_a_browser() -> None:
    """A test that needs the browser says the same, and waits for nothing."""
    with pytest.raises(chromium.BrowserError, match="expected Chromium on this machine"):
        chromium.launched().__enter__()
