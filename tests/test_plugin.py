"""The pytest plugin without scenarios, and with a configuration that cannot be read."""

import re
import signal
from collections.abc import Iterator

import pytest

from harness import plugin
from harness.errors import ExitStatus


@pytest.fixture(autouse=True)
def own_signals() -> Iterator[None]:
    """Give SIGTERM back to the outer pytest."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def seed_of(result: pytest.RunResult) -> str:
    """The seed that the header names."""
    (line,) = (each for each in result.outlines if each.startswith("mayfly "))
    return line.rpartition("--seed ")[2]


def test_seed_is_in_the_header(pytester: pytest.Pytester) -> None:
    """A given seed is the run's, and the header says how to repeat it."""
    result = pytester.runpytest_inprocess("--seed", "41")

    assert seed_of(result) == "41"


def test_seed_is_made_up(pytester: pytest.Pytester) -> None:
    """Without one each run makes up its own."""
    seeds = {seed_of(pytester.runpytest_inprocess()) for _ in range(3)}

    assert len(seeds) > 1
    assert all(re.fullmatch(r"\d+", seed) for seed in seeds)


def test_seed_must_be_a_number(pytester: pytest.Pytester) -> None:
    """A seed that is no number is a wrong usage, not a run with another seed."""
    result = pytester.runpytest_inprocess("--seed", "lucky")

    assert result.ret == pytest.ExitCode.USAGE_ERROR


@pytest.mark.parametrize(("body", "status"), [("assert True", 0), ("assert False", 1)])
def test_ordinary_tests_make_no_run(pytester: pytest.Pytester, body: str, status: int) -> None:
    """Tests that are no scenarios end as ever, and leave no run behind."""
    pytester.makepyfile(f"def test_one(): {body}")

    result = pytester.runpytest_inprocess()

    assert result.ret == status
    assert not (pytester.path / "reports").exists()
    result.stdout.no_fnmatch_line("*resilience*")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[service", "*is not TOML*"),
        ("[load]\ndeadline_ms = 1", "*load has no key 'deadline_ms'; did you mean 'deadline_s'?*"),
        (None, "*resilience.toml, which does not exist*--resilience*"),
    ],
)
def test_unreadable_configuration(pytester: pytest.Pytester, text: str | None, told: str) -> None:
    """Without a readable resilience.toml the run ends: status 7, one error, no traceback."""
    pytester.makepyfile("def test_one(experiment): pass\ndef test_two(experiment): pass")
    if text is not None:
        (pytester.path / "resilience.toml").write_text(text)

    result = pytester.runpytest_inprocess()

    assert result.ret == ExitStatus.HARNESS_FAILED
    result.stdout.fnmatch_lines([told])
    assert len([line for line in result.outlines if "mayfly: " in line]) == 1
    assert "Traceback" not in result.stdout.str() + result.stderr.str()
    assert not (pytester.path / "reports").exists()


def test_other_configuration(pytester: pytest.Pytester) -> None:
    """``--resilience`` names another file."""
    pytester.makepyfile("def test_one(experiment): pass")
    (pytester.path / "other.toml").write_text("[service")

    result = pytester.runpytest_inprocess("--resilience", "other.toml")

    result.stdout.fnmatch_lines(["*other.toml is not TOML*"])


def test_sigterm_becomes_an_interrupt() -> None:
    """Being asked to end raises KeyboardInterrupt once; nothing disturbs the clean-up after."""
    plugin._turn_sigterm_into_interrupt()

    with pytest.raises(KeyboardInterrupt, match="SIGTERM"):
        signal.raise_signal(signal.SIGTERM)
    signal.raise_signal(signal.SIGTERM)

    assert signal.getsignal(signal.SIGTERM) == signal.SIG_IGN
