"""The steps of a recovery, and what is told beside them."""

from dataclasses import replace

from markupsafe import Markup

from reports.charts.bar import step
from reports.charts.recovery import Recovery, recovery
from tests.reports import sample, sample_runs
from tests.reports.reading import read

_KILLED: dict[str, float | None] = {
    "detect_s": 0.0,
    "eject_s": 0.5,
    "ordered_s": None,
    "started_s": None,
    "ready_s": None,
    "first_correct_s": None,
    "readmit_s": None,
    "back_s": 0.1,
    "recovered_s": 2.0,
    "outage_s": 0.25,
}


def _recovery(phases: dict[str, float | None], target: str = "replica-2") -> Recovery:
    scenario = sample.kill_scenario(10)
    fault = replace(scenario.history.faults[0], name="pause", targets=(target,))
    history = replace(scenario.history, faults=(fault,))
    found = recovery(replace(scenario, phases=phases, history=history))
    assert found is not None
    return found


def test_recovery_steps_follow_each_other() -> None:
    """Steps are in order of time with their gains, and what never came is last."""
    found = recovery(sample_runs.unproven_scenario(100))

    assert found is not None
    assert found.steps[0].name == "detected"
    assert found.steps[-1].name == "all well from here on"
    assert (found.steps[-1].after_effect, found.steps[-1].bar) == ("never seen", Markup(""))
    times_s = [each.at_s for each in found.steps if each.at_s is not None]
    assert times_s == sorted(times_s)


def test_steps_are_told_in_words() -> None:
    """Names say what happened, and the healing of the fault is one of the steps."""
    found = _recovery(_KILLED)
    gap = "\N{NO-BREAK SPACE}"

    assert [(each.name, each.after_effect, each.after_last) for each in found.steps] == [
        ("first deviation seen", f"0.00{gap}s", f"+0.00{gap}s"),
        ("service answers again", f"0.10{gap}s", f"+0.10{gap}s"),
        ("balancer stops sending", f"0.50{gap}s", f"+0.40{gap}s"),
        ("all well from here on", f"2.00{gap}s", f"+1.50{gap}s"),
        ("healing begins", f"6.18{gap}s", f"+4.18{gap}s"),
    ]
    assert found.counted_from == "the proven effect of pause on replica-2"
    assert found.steps[1].at_s == 15.12


def test_outage_is_a_sentence() -> None:
    """How long something lasted is no step on the way."""
    assert _recovery(_KILLED).sentences == (
        "The longest stretch without a good answer lasted 0.25\N{NO-BREAK SPACE}s.",
        "No replica was replaced for it.",
    )


def test_steps_of_replicas_are_left_out_where_none_was_hit() -> None:
    """A fault of the cache takes no replica out of rotation, and that is said."""
    found = _recovery({**_KILLED, "eject_s": None}, target="cache")

    assert "balancer stops sending" not in [each.name for each in found.steps]
    assert "No replica was hit, so none had to leave rotation or be replaced." in found.sentences


def test_replacement_that_was_never_ready_is_shown() -> None:
    """Where one was ordered, what it did not reach is a row."""
    found = _recovery({**_KILLED, "ordered_s": 0.1})

    assert "it is ready" in [each.name for each in found.steps if each.after_effect == "never seen"]


def test_bar_ends_at_its_time() -> None:
    """The bar begins where the last one ended, and its time stands behind it."""
    picture = read(str(step(0.5, 1.0, "ready: 2 s after the effect", "+2 s")))
    bar = picture.find("rect", "filled")[0].attributes

    assert (bar["x"], bar["width"]) == ("43.0%", "43.0%")
    assert picture.find("text")[0].attributes["x"] == "86.0%"
    assert picture.find("text")[0].words == "+2 s"


def test_no_fault_no_recovery() -> None:
    """A scenario without phase times has none to show."""
    assert recovery(replace(sample.kill_scenario(10), phases={})) is None
