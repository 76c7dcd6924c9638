"""What a user can get wrong leads to one clear error, status 7, and no container left."""

import docker
import pytest

from harness.errors import ExitStatus
from harness.platforms.ownership import RUN
from tests.docker.workplace import SHORT_SUITE, Workplace

_DIGEST = 'MODEL_DIGEST = "{model_digest}"'


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param(
            {"deadline_s = 2.0": "deadline_ms = 2000"},
            ["load has no key 'deadline_ms'", "did you mean 'deadline_s'"],
            id="unknown key",
        ),
        pytest.param(
            {"deadline_s = 2.0": 'deadline_s = "2s"'},
            ["load.deadline_s", "expected `float`"],
            id="wrong unit",
        ),
        pytest.param(
            {'build = "': 'image = "no-such-image:1" # '},
            ["expected the image no-such-image:1", "found neither", "service.image"],
            id="missing image",
        ),
        pytest.param(
            {"port = 8080 ": "port = 8099 ", "http_port": "start_probe = 1 #"},
            ["service has no key 'start_probe'"],
            id="two mistakes, one error",
        ),
        pytest.param(
            {
                "port = 8080 ": "port = 8099 ",
                "time_scale = 0.01": "time_scale = 0.01\nprobes = {start_timeout_s = 4}",
            },
            ["nobody listens on its port 8099", "mend service.port"],
            id="port that nobody listens on",
        ),
        pytest.param(
            {
                _DIGEST: f'MODEL_DIGEST = "{"0" * 64}"',
                "time_scale = 0.01": "time_scale = 0.01\nprobes = {start_timeout_s = 5}",
            },
            ["is not ready", "0000000000000000/model.onnx", "404"],
            id="digest of a model that the store does not have",
        ),
    ],
)
def test_one_clear_error(
    workplace: Workplace,
    client: docker.DockerClient,
    changes: dict[str, str],
    expected: list[str],
) -> None:
    """The error says what was expected, what was seen and what to do; nothing stays behind."""
    workplace.write(SHORT_SUITE, changes)
    before = {each.name for each in client.containers.list(all=True, filters={"label": RUN})}

    status, output = workplace.run()

    assert status == ExitStatus.HARNESS_FAILED, output
    for part in expected:
        assert part in output
    assert "Traceback" not in output
    after = {each.name for each in client.containers.list(all=True, filters={"label": RUN})}
    assert after <= before
