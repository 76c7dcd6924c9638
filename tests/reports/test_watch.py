"""The page of a run that goes on: renewed while something happens, and ended with the run."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import reports.watch
from harness import run as runs
from harness.contract import Verdict
from harness.run import Run
from harness.underway import Claim
from reports.command import report
from reports.page import render
from reports.surroundings import surroundings
from reports.watch import Watch
from tests.reports import sample
from tests.reports.reading import read

TOLD = b'{"scenario":"test_%d","began_at":"2026-11-22T14:03:12+00:00","doing":"%s","to_come":1}'
Step = Callable[[], object]


def held(scenario: str) -> Verdict:
    """A promise that was kept in this scenario."""
    return sample.verdict("T1", "held", 1.0, scenario=scenario)


def scenarios() -> Run:
    """A finished run of two scenarios."""
    return sample.run(
        sample.kill_scenario(100, name="one", verdicts=(held("one"),)),
        sample.kill_scenario(100, name="two", verdicts=(held("two"),), began_s=200.0),
        planned=2,
    )


class Course:
    """A run's course, one step each time that its watcher waits; more often than that it may not.

    ``pages`` are those that the watcher had made when it began to wait.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.steps: list[Step] = []
        self.pages: list[str] = []
        self.said: list[str] = []
        self.time_s = 0.0
        self._claim: Claim | None = None

    def wait(self, duration_s: float) -> None:
        """Let time pass."""
        page = self.directory / "report.html"
        self.pages.append(page.read_text(encoding="utf-8") if page.exists() else "")
        self.time_s += duration_s
        self.steps.pop(0)()

    def watch(self, *steps: Step, directory: Path | None = None) -> int:
        """Follow the run while these things happen."""
        self.steps = list(steps)
        watched = directory or self.directory
        return Watch(
            watched, 3.0, surroundings, self.said.append, self.wait, lambda: self.time_s
        ).follow()

    def begins(self) -> None:
        """The run is there, and nothing is over."""
        self._claim = Claim(self.directory)
        self.comes_to(0)

    def comes_to(self, over: int) -> None:
        """So many scenarios are over."""
        run = scenarios()
        so_far = replace(run, scenarios=run.scenarios[:over], finished=False)
        runs.save_so_far(so_far, self.directory, fresh=min(over, 1))

    def tells(self, content: bytes) -> None:
        """What is done is told."""
        (self.directory / "progress.json").write_bytes(content)

    def finishes(self) -> None:
        """The run is over, and nobody will write any more."""
        runs.save(scenarios(), self.directory)
        self.dies()

    def dies(self) -> None:
        """Its process is gone."""
        assert self._claim is not None
        self._claim.release()

    def last_page(self) -> str:
        """What the page of the run is when it is made once, after its end."""
        run = runs.load(self.directory)
        return render(run, surroundings(run, self.directory))

    @property
    def page(self) -> str:
        """The page as it is now."""
        return (self.directory / "report.html").read_text(encoding="utf-8")


@pytest.fixture
def course(tmp_path: Path) -> Course:
    """The course of a run that has not begun."""
    return Course(tmp_path / "runs" / "mf-1")


def titles(pages: list[str]) -> list[str]:
    """What the pages have as their titles."""
    return [read(page).find("title")[0].words if page else "" for page in pages]


def test_followed_from_before_its_beginning_to_its_end(course: Course) -> None:
    """There is a page for each state of the run, and the last is the finished run's own."""
    status = course.watch(
        course.begins, lambda: course.comes_to(1), lambda: course.comes_to(2), course.finishes
    )

    assert status == 0
    assert titles(course.pages) == [
        "",
        "This run is going on: 0 of 2 scenarios are over.",
        "This run is going on: 1 of 2 scenarios is over.",
        "This run is going on: 2 of 2 scenarios are over.",
    ]
    assert all('http-equiv="refresh" content="3"' in each for each in course.pages[1:])
    assert course.page == course.last_page()
    assert course.said[0] == f"waiting for a run in {course.directory}"
    assert course.said[-1].endswith(" is finished")


def test_never_says_that_all_held(course: Course) -> None:
    """Whatever was judged so far, a run that goes on has kept no promise yet."""
    course.begins()
    course.watch(lambda: course.comes_to(2), course.finishes)

    assert "2 clauses held" not in titles(course.pages)[-1]
    assert "clause held in 2 scenarios" in titles([course.page])[0]


def test_what_is_done_now_costs_no_chart(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    """While only the progress changes, so does only what the page says of it."""
    made: list[str] = []

    def counted(*arguments: object) -> str:
        made.append(render(*arguments))  # type: ignore[arg-type]
        return made[-1]

    monkeypatch.setattr(reports.watch, "render", counted)
    course.begins()
    course.watch(
        lambda: course.tells(TOLD % (1, b"steady, 5 s")),
        lambda: course.tells(TOLD % (1, b"</p><b>injecting</b>")),
        lambda: course.tells(b"{"),
        course.finishes,
    )

    notices = [read(each).find("p", "underway")[0].words for each in course.pages]
    assert notices == [
        "Now: not known. This page is renewed every 3 s.",
        (
            "Now: test_1, since 14:03:12 UTC: steady, 5 s; 1 scenario to come. "
            "This page is renewed every 3 s."
        ),
        (
            "Now: test_1, since 14:03:12 UTC: </p><b>injecting</b>; 1 scenario to come. "
            "This page is renewed every 3 s."
        ),
        "Now: not known. This page is renewed every 3 s.",
    ]
    assert len(made) == 1


def test_page_that_takes_long_is_made_less_often(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nine tenths of the time are the measured service's; meanwhile what is done is still told."""

    def slow(*arguments: object) -> str:
        course.time_s += 0.5
        return render(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(reports.watch, "render", slow)
    course.begins()
    told = TOLD % (2, b"steady, 5 s")
    course.watch(lambda: (course.comes_to(1), course.tells(told)), lambda: None, course.finishes)

    assert [each.partition(":")[2] for each in titles(course.pages)] == [
        " 0 of 2 scenarios are over.",
        " 0 of 2 scenarios are over.",
        " 1 of 2 scenarios is over.",
    ]
    assert "test_2" in course.pages[1]


def test_run_that_dies(course: Course) -> None:
    """Where nobody works on the run any more, that is told, and nothing is waited for."""
    course.begins()
    course.tells(TOLD % (2, b"injecting kill into replica-2"))

    status = course.watch(lambda: course.comes_to(1), course.dies)

    assert status == 7
    assert course.said[-1].endswith("was interrupted or killed: 1 of 2 scenarios is over")
    assert titles([course.page]) == ["This run is unfinished: 1 of 2 scenarios is over."]
    assert "http-equiv=refresh" not in course.page.replace('"', "")
    assert read(course.page).find("p", "underway")[0].words == (
        "It was interrupted or killed: no process of this machine works on it. "
        "The last that it told: test_2, since 14:03:12 UTC: injecting kill into replica-2."
    )


def test_finished_run_is_shown_once(course: Course) -> None:
    """A run that is over has nothing to wait for."""
    runs.save(scenarios(), course.directory)

    assert course.watch() == 0
    assert course.page == course.last_page()


def test_run_that_never_begins(course: Course) -> None:
    """A run is not waited for without end."""
    status = course.watch(*[lambda: None] * 200)

    assert status == 7
    assert course.time_s == 600
    assert course.said[-1].startswith("there is still no run in")


def test_interrupted_watcher_leaves_a_page_that_stays(course: Course) -> None:
    """Ctrl-C ends the watching quietly, and no browser loads the page in vain any more."""

    def interrupt() -> None:
        raise KeyboardInterrupt

    course.begins()
    status = course.watch(interrupt)
    course.dies()

    assert status == 0
    assert "refresh" in course.pages[0]
    assert 'http-equiv="refresh"' not in course.page
    assert "This page is renewed" not in course.page
    assert [each for each in course.said if "finished" in each or "killed" in each] == []


def test_stays_with_its_run(course: Course, tmp_path: Path) -> None:
    """A link such as reports/latest may lead elsewhere meanwhile: the run that is watched stays."""
    course.begins()
    latest = tmp_path / "latest"
    latest.symlink_to(course.directory)

    def move() -> None:
        latest.unlink()
        latest.symlink_to("elsewhere")

    assert course.watch(move, course.finishes, directory=latest) == 0
    assert course.page == course.last_page()


def test_unreadable_for_a_moment(course: Course) -> None:
    """A run that is being saved just when somebody looks is looked at again."""
    course.begins()
    damaged = course.directory / "run.json"

    course.watch(lambda: damaged.write_text("{"), lambda: course.comes_to(1), course.finishes)

    assert titles(course.pages)[2].endswith("1 of 2 scenarios is over.")


def test_command_gives_way(
    course: Course, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command leaves the processors to what is measured, and ends with the run's watcher."""
    given: list[int] = []
    monkeypatch.setattr("os.nice", given.append)
    runs.save(scenarios(), course.directory)

    assert report([str(course.directory), "--watch"]) == 0
    assert given == [10]
    assert f"mayfly report: {scenarios().id} is finished; one that" in capsys.readouterr().err
    assert course.page == course.last_page()


def test_command_tells_of_an_unfinished_run(
    course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without watching, an unfinished run is reported as it stands, and called what it is."""
    course.begins()
    course.comes_to(1)
    course.dies()

    assert report([str(course.directory)]) == 0
    assert capsys.readouterr().err == (
        "mayfly report: the run is unfinished: 1 of 2 scenarios is over\n"
    )


@pytest.mark.parametrize("every", ["0", "-1", "nan", "inf", "soon"])
def test_command_refuses_odd_periods(
    course: Course, every: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A page is not renewed all the time, nor never."""
    with pytest.raises(SystemExit, match="2"):
        report([str(course.directory), "--watch", f"--every={every}"])

    assert "--every" in capsys.readouterr().err
