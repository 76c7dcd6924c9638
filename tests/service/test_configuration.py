"""The environment is read once, and the CPU quota is taken for what it is."""

import os
from pathlib import Path

import pytest

from service_under_test.configuration import ConfigurationError, cpu_quota, read_configuration

GOOD = {
    "MODEL_SOURCE": "baked",
    "MODEL_DIGEST": "0" * 64,
    "DATABASE_URL": "postgresql://me:a-secret@there/records",
}


def test_what_is_not_said_has_a_default() -> None:
    """PORT is 8080, the model is defects, and the replica is called as its host."""
    configuration = read_configuration(GOOD)
    assert (configuration.port, configuration.http_port) == (8080, 8081)
    assert configuration.model_name == "defects"
    assert configuration.replica == os.uname().nodename
    assert configuration.queue_limit == 256


def test_secrets_are_not_shown() -> None:
    """Whoever prints the configuration prints no secret."""
    store = {
        "MODEL_SOURCE": "s3",
        "S3_ENDPOINT_URL": "http://there",
        "S3_BUCKET": "models",
        "AWS_ACCESS_KEY_ID": "a-secret-name",
        "AWS_SECRET_ACCESS_KEY": "a-secret-key",
    }
    assert "a-secret" not in repr(read_configuration(GOOD | store))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "0"),
        ("PORT", "80.5"),
        ("PORT", "http"),
        ("MODEL_DIGEST", ""),
        ("MODEL_DIGEST", "A" * 64),
        ("MODEL_SOURCE", "ftp"),
        ("CACHE_URL", "memcached://there"),
        ("QUEUE_LIMIT", "0"),
        ("DRAIN_S", "nan"),
    ],
)
def test_a_bad_setting_is_named(name: str, value: str) -> None:
    """A setting that cannot be used is refused by its name, alone."""
    with pytest.raises(ConfigurationError) as refused:
        read_configuration(GOOD | {name: value})
    assert [problem.name for problem in refused.value.problems] == [name]


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({"cpu.max": "50000 100000"}, 1),
        ({"cpu.max": "100001 100000"}, 2),
        ({"cpu.max": "max 100000"}, 4),
        ({"cpu/cpu.cfs_quota_us": "50000", "cpu/cpu.cfs_period_us": "100000"}, 1),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, 4),
        ({}, 4),
    ],
)
def test_the_quota_counts_and_not_the_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], cores: int
) -> None:
    """The cgroup's quota, v2 or v1, is rounded up; without one, the cores we may run on count."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 3})
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text + "\n")
    assert cpu_quota(tmp_path) == cores
