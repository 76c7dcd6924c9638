"""The base image: pulled where a registry answers, else made on this machine by mmdebstrap."""

import shutil
import subprocess
import tempfile
from pathlib import Path

import docker
from docker.errors import APIError, ImageNotFound

from harness import engine
from harness.errors import ImageError

_SUITES = ("bookworm", "trixie", "forky", "sid")


def ensure(client: docker.DockerClient, reference: str, say: engine.Say) -> str:
    """The id of the base image. Raises ImageError where it can be neither pulled nor made."""
    try:
        return _identity(client, reference)
    except ImageNotFound:
        pass
    say(f"pulling {reference}")
    try:
        client.images.pull(reference)
    except APIError as error:
        say(f"no registry has it ({str(error.explanation or error)[:90]}): making it here")
        _make(client, reference, say)
    return _identity(client, reference)


def _identity(client: docker.DockerClient, reference: str) -> str:
    return str(client.images.get(reference).id)


def _make(client: docker.DockerClient, reference: str, say: engine.Say) -> None:
    """Import a Debian root file system under the reference that a registry would have given."""
    suite = next((suite for suite in _SUITES if suite in reference), None)
    if not reference.startswith("debian:") or suite is None:
        raise ImageError(
            f"the base image {reference} cannot be pulled, and only debian:<suite> can be made "
            f"here (suites: {', '.join(_SUITES)}); name one of those as platform.base_image, "
            "or make a registry reachable"
        )
    if shutil.which("mmdebstrap") is None:
        engine.install_packages(say, "mmdebstrap")
    say(f"making {reference} with mmdebstrap, which takes half a minute")
    with tempfile.TemporaryDirectory(prefix="mayfly-base-") as folder:
        archive = Path(folder) / "root.tar"
        command = ["mmdebstrap", "--variant=minbase", "--include=ca-certificates", suite]
        done = subprocess.run([*command, str(archive)], capture_output=True, text=True, check=False)
        if done.returncode:
            raise ImageError(f"`{' '.join(command)}` failed:\n{done.stderr[-800:]}")
        repository, _, tag = reference.partition(":")
        client.api.import_image_from_file(str(archive), repository=repository, tag=tag)
