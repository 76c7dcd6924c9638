"""Locust shapes become rate profiles, and Locust never enters this process."""

import math
import subprocess
import sys
from pathlib import Path

import pytest

from harness.errors import ExitStatus, LoadError
from harness.load import shape
from harness.load.profile import Points

ROOT = Path(__file__).parents[2]
SHAPES = ROOT / "faults" / "shapes.py"

HEADER = "from locust import LoadTestShape\nimport faults.shapes as ours\n"


def written(tmp_path: Path, text: str) -> str:
    """Write a user's file; how it is referred to."""
    path = tmp_path / "mine.py"
    path.write_text(HEADER + text)
    return f"{path}:Mine"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Step", ((0, 100), (10, 100), (10, 300), (40, 300), (40, 0))),
        ("Ramp", ((0, 100), (10, 100), (30, 300), (60, 300), (60, 0))),
        ("Spike", ((0, 100), (10, 100), (10, 300), (15, 300), (15, 100), (35, 100), (35, 0))),
    ],
)
def test_our_shapes(name: str, expected: Points) -> None:
    """Step, ramp and spike have the very corners that their numbers say, by file and by module."""
    where = "faults.shapes" if name == "Ramp" else SHAPES

    assert shape.read(f"{where}:{name}") == expected


class Stages:
    """A shape as users write it, without Locust's base class, which only ``read`` asks for."""

    def __init__(self, *stages: tuple[float, *tuple[object, ...]]) -> None:
        self.stages = stages

    def get_run_time(self) -> float:
        """Be replaced by a virtual clock."""
        raise AssertionError("the real clock was asked")

    def tick(self) -> tuple[object, ...] | None:
        """Give what belongs to the first stage that is not over."""
        return next((told for until_s, *told in self.stages if self.get_run_time() < until_s), None)


def test_a_shape_is_played_as_locust_would() -> None:
    """It is asked once a second of virtual time; a slow spawn rate makes a slope, a quick one none.

    Locust asks no more while it still starts users, so the second stage has all of its 40.
    """
    told = Stages((3, 10, 5), (4, 40, 10, ["AUser"]), (9, 20, 100))
    expected = ((0, 0), (2, 10), (3, 10), (6, 40), (6, 20), (9, 20), (9, 0))

    assert shape.points(told) == expected


def test_a_shape_without_end_is_played_for_an_hour() -> None:
    """Its last rate goes on."""
    assert shape.points(Stages((math.inf, 7, 7))) == ((0, 7), (shape.LONGEST_S, 7))


@pytest.mark.parametrize("told", [(5, 0), (-1, 5), ("many", 5), (5,), (math.nan, 5), (5, math.nan)])
def test_what_cannot_be_meant_is_refused(told: tuple[object, ...]) -> None:
    """The error shows what tick gave."""
    with pytest.raises(LoadError, match="expected tick"):
        shape.points(Stages((10, *told)))


def test_a_users_own_subclass(tmp_path: Path) -> None:
    """Other numbers are class attributes; what a file prints does no harm."""
    text = "print('hello')\nclass Mine(ours.Spike):\n    peak_users, steady_s = 500, 2.0\n"

    found = shape.read(written(tmp_path, text))

    assert found[:4] == ((0, 100), (2, 100), (2, 500), (7, 500))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("class Other(LoadTestShape):\n    def tick(self): return None\n", "it has Other"),
        ("class Mine(LoadTestShape):\n    def tick(self): return 1 / 0\n", "ZeroDivisionError"),
        ("class Mine(ours.Step):\n    peak_users = 0\n", r"Mine\.peak_users"),
        ("class Mine(ours.Ramp):\n    ramp_s = -1.0\n", r"Mine\.ramp_s"),
    ],
)
def test_what_is_no_shape_is_an_error(tmp_path: Path, text: str, told: str) -> None:
    """The error says what was wrong, and what there is instead."""
    with pytest.raises(LoadError, match=told):
        shape.read(written(tmp_path, text))


def test_a_missing_file_is_named() -> None:
    """A path that leads nowhere is told as such."""
    with pytest.raises(LoadError, match="no file nowhere"):
        shape.read("nowhere.py:Mine")

    assert "locust" not in sys.modules  # reading shapes leaves this process alone
    assert "gevent" not in sys.modules


def test_locust_itself_takes_our_shapes(tmp_path: Path) -> None:
    """``locust -f`` runs a shape of ours as it is: its users come at the step, and it ends."""
    users = tmp_path / "locustfile.py"
    users.write_text(
        "from faults import shapes\nfrom locust import User, constant, task\n"
        "class Mine(shapes.Step):\n"
        "    steady_users, peak_users, steady_s, peak_s = 2, 5, 1.0, 1.0\n"
        "class Idle(User):\n"
        "    wait_time = constant(1)\n"
        "    @task\n"
        "    def idle(self): pass\n"
    )
    command = [sys.executable, "-m", "locust", "-f", str(users), "--headless", "--only-summary"]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, cwd=ROOT
    )

    assert "Shape test updating to 2 users" in done.stderr
    assert "Shape test updating to 5 users" in done.stderr
    assert done.returncode == 0


def test_patched_sockets_end_the_session(tmp_path: Path) -> None:
    """A conftest that patches sockets ends pytest with one error that says what to do."""
    (tmp_path / "conftest.py").write_text("from gevent import monkey\nmonkey.patch_socket()\n")
    (tmp_path / "test_nothing.py").write_text("def test_nothing(): pass\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )

    assert done.returncode == ExitStatus.HARNESS_FAILED
    assert "-p no:locust" in done.stdout + done.stderr
    assert "passed" not in done.stdout
