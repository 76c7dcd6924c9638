"""How resilience.toml is told that it is wrong: the file, the key, expected, found."""

from pathlib import Path

import pytest

from harness import service
from harness.errors import ConfigurationError

SERVICE = 'model = "m"\ngolden = "golden.npz"\n'
RIGHT = f'[service]\n{SERVICE}build = "app"\n'

WRONG = {
    "no TOML": ("[service", "is not TOML"),
    "twice the same key": (RIGHT + 'model = "n"', "is not TOML"),
    "empty": ("", "`service`"),
    "unknown table": (RIGHT + "[plattform]", "'plattform'; did you mean 'platform'?"),
    "unknown key": (RIGHT + "modell = 1", "service has no key 'modell'; did you mean 'model'?"),
    "other unit": (
        RIGHT + "[load]\ndeadline_ms = 2000",
        "load has no key 'deadline_ms'; did you mean 'deadline_s'?",
    ),
    "without unit": (
        RIGHT + "[load]\nrate = 9.0",
        "load has no key 'rate'; did you mean 'rate_rps'?",
    ),
    "deep unknown key": (
        RIGHT + "[platform.probes]\nperiod = 1",
        "platform.probes has no key 'period'; did you mean 'period_s'?",
    ),
    "nothing like it": (
        RIGHT + "[load.retry]\nxyzzy = 1",
        "load.retry has no key 'xyzzy'; known keys: attempts, codes",
    ),
    "optional table": (
        RIGHT + '[service.records]\nquerry = ""',
        "service.records has no key 'querry'; did you mean 'query'?",
    ),
    "missing key": ('[service]\ngolden = "g"\nbuild = "a"', "`model`"),
    "missing golden": ('[service]\nmodel = "m"\nbuild = "app"', "`golden`"),
    "text for seconds": (
        RIGHT + '[load]\ndeadline_s = "2s"',
        "load.deadline_s: expected `float`, got `str`",
    ),
    "number for text": (
        f"[service]\n{SERVICE}build = 1",
        "service.build: expected `str | null`, got `int`",
    ),
    "half a replica": (
        RIGHT + "[platform]\nreplicas = 2.5",
        "platform.replicas: expected `int`, got `float`",
    ),
    "one for many": (
        RIGHT + '[platform]\nbacking = "cache"',
        "platform.backing: expected `array`, got `str`",
    ),
    "text for a limit": (RIGHT + '[contract]\nstart_budget_s = "30"', "contract"),
    "no replica": (RIGHT + "[platform]\nreplicas = 0", "platform.replicas: expected 1 to 16"),
    "many replicas": (RIGHT + "[platform]\nreplicas = 17", "1 to 16, found 17"),
    "time stands still": (RIGHT + "[platform]\ntime_scale = 0.0", "platform.time_scale: expected"),
    "slower than real": (RIGHT + "[platform]\ntime_scale = 1.5", "at most 1, found 1.5"),
    "no deadline": (RIGHT + "[load]\ndeadline_s = 0.0", "load.deadline_s: expected above 0"),
    "milliseconds": (RIGHT + "[load]\ndeadline_s = 2000.0", "found 2000"),
    "no load": (RIGHT + "[load]\nrate_rps = 0.0", "load.rate_rps: expected"),
    "not a number": (RIGHT + "[load]\nrate_rps = nan", "load.rate_rps: expected"),
    "schedule": (RIGHT + '[load]\nschedule = "bursts"', "load.schedule: expected constant or"),
    "no processor": (RIGHT + "cpus = 0.0", "service.cpus: expected above 0, at most 1024, found 0"),
    "no memory": (RIGHT + "memory_mb = 8", "service.memory_mb: expected at least 16, found 8"),
    "port": (RIGHT + "port = 65536", "expected a port from 1 to 65535, found 65536"),
    "http port": (RIGHT + "http_port = -1", "expected a port from 1 to 65535, found -1"),
    "build and image": (RIGHT + 'image = "a:1"', "expected exactly one of build and image"),
    "neither": (f"[service]\n{SERVICE}", "expected exactly one of build and image"),
    "unknown backing": (RIGHT + '[platform]\nbacking = ["redis"]', "platform.backing[0]: "),
    "no time": (RIGHT + "[platform.balancer]\nread_timeout_s = 0.0", "balancer.read_timeout_s: "),
    "no failure": (RIGHT + "[platform.probes]\nfailures = 0", "platform.probes.failures: "),
    "no attempt": (RIGHT + "[load.retry]\nattempts = 0", "load.retry.attempts: expected"),
    "placeholder": (
        RIGHT + '[service.environment]\nURL = "{databse_url}"',
        "service.environment.URL refers to {databse_url}, which nothing fills in; known: cache_url",
    ),
    "placeholder of a baked one": (
        RIGHT + '[service.baked_environment]\nURL = "{model}"',
        "service.baked_environment.URL refers to {model}, which nothing fills in",
    ),
    "least above most": (
        RIGHT + "[platform.autoscaler]\nmin_replicas = 4\nmax_replicas = 3",
        "platform.autoscaler: expected min_replicas <= max_replicas <= 16, found 4 and 3",
    ),
    "many to scale to": (
        RIGHT + "[platform.autoscaler]\nmax_replicas = 17",
        "platform.autoscaler: expected min_replicas <= max_replicas <= 16, found 1 and 17",
    ),
    "no target": (
        RIGHT + "[platform.autoscaler]\ntarget_in_flight = 0.0",
        "platform.autoscaler.target_in_flight: ",
    ),
    "no limit is nought": (
        RIGHT + "[platform.balancer]\nmax_in_flight_per_replica = -1",
        "platform.balancer.max_in_flight_per_replica: ",
    ),
    "brace": (RIGHT + '[service.environment]\nJSON = "{"', "service.environment.JSON: "),
}


def written(folder: Path, text: str) -> Path:
    """A resilience.toml with this text."""
    path = folder / "resilience.toml"
    path.write_text(text)
    return path


def complaint(path: Path) -> str:
    """What is said against a file, by whoever reads it first."""
    with pytest.raises(ConfigurationError) as caught:
        service.limits(service.read(path), path)
    return str(caught.value)


@pytest.mark.parametrize(("text", "expected"), WRONG.values(), ids=WRONG)
def test_wrong(tmp_path: Path, text: str, expected: str) -> None:
    """What cannot be meant is refused in one line: the file, the key, expected and found."""
    said = complaint(written(tmp_path, text))

    assert said.startswith(str(tmp_path / "resilience.toml"))
    assert expected in said
    assert "\n" not in said


@pytest.mark.parametrize(
    ("key", "guess"),
    [
        ("golden_tolerence = 0.1", "; did you mean 'golden_tolerance'?"),
        ("start_budget_ms = 1", "; did you mean 'start_budget_s'?"),
        ("xyzzy = 1", "contract has no key 'xyzzy'"),
    ],
)
def test_unknown_limit(tmp_path: Path, key: str, guess: str) -> None:
    """A limit that the contract does not know is refused, with a guess where one is near."""
    said = complaint(written(tmp_path, f"{RIGHT}[contract]\n{key}"))

    assert said.startswith(f"{tmp_path / 'resilience.toml'}: contract has no key")
    assert guess in said


def test_half_a_count(tmp_path: Path) -> None:
    """A limit that counts things is a whole number."""
    said = complaint(written(tmp_path, f"{RIGHT}[contract]\nstarts_needed = 2.5"))

    assert "contract: " in said
    assert "starts_needed" in said


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("[service.environment]\nPORT = 8080", "PORT"),
        ("[service.baked_environment]\nPORT = 8080", "baked_environment.PORT"),
        ('[contract]\nold_name_s = ""', "old_name_s"),
    ],
)
def test_key_of_a_free_table_is_named(tmp_path: Path, text: str, key: str) -> None:
    """The error names the variable or limit whose value has the wrong type."""
    assert key in complaint(written(tmp_path, RIGHT + text))


@pytest.mark.parametrize(
    "text",
    [
        "http_port = 0",
        "cpus = nan",
    ],
)
def test_wrong_and_not_noticed_yet(tmp_path: Path, text: str) -> None:
    """What can only fail later, and less clearly, is refused here."""
    complaint(written(tmp_path, RIGHT + text))


def test_key_with_a_hyphen(tmp_path: Path) -> None:
    """A key with a hyphen gets the same help as any other misspelt key."""
    said = complaint(written(tmp_path, RIGHT + "[load]\ndeadline-s = 2.0"))

    assert "load has no key 'deadline-s'; did you mean 'deadline_s'?" in said
