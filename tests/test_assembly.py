"""From resilience.toml to what a platform is made from."""

import hashlib
import json
from pathlib import Path

import pytest

from harness.assembly import Assembly, service_recipe
from harness.errors import ConfigurationError, PlatformError
from harness.platforms.grounds import Variant

BASE = "debian:bookworm-slim"
RIGHT = """
[service]
model = "m"
golden = "data/golden.npz"
artifact = "data"
build = "app"
[contract]
golden_tolerance = 0.25
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project: a service in app/, a model and its golden set in data/; its resilience.toml."""
    files = {
        "resilience.toml": RIGHT,
        "app/Dockerfile": "FROM scratch",
        "app/requirements.lock": "numpy==2",
        "app/main.py": "",
        "app/deep/inside.py": "",
        "app/training/train.py": "",
        "app/models/v1.txt": "",
        "data/golden.npz": "golden",
        "data/model.onnx": "model",
        "data/manifest.json": json.dumps(
            {"sha256": hashlib.sha256(b"model").hexdigest(), "version": "v1"}
        ),
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "resilience.toml"


def inside(folder: Path) -> list[str]:
    """The paths of what enters the context of a service's image."""
    return sorted(name for name, _ in service_recipe(folder, None, bake=False).context_files())


def test_whole(project: Path) -> None:
    """A project whose files are all there is read: settings, limits, artifact, golden set."""
    assembly = Assembly.of(project)

    assert assembly.root == project.parent
    assert assembly.settings.service.model == "m"
    assert assembly.limits.golden_tolerance == 0.25
    assert assembly.artifact is not None
    assert assembly.artifact.version == "v1"
    assert assembly.golden == project.parent / "data" / "golden.npz"


def test_paths_are_relative_to_the_file(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths count from the folder of resilience.toml, wherever it is read from."""
    monkeypatch.chdir(project.parent / "app")

    assert Assembly.of(Path("../resilience.toml")).golden.samefile(
        project.parent / "data/golden.npz"
    )


def test_golden_set_is_missing(project: Path) -> None:
    """A golden set that is not there is named with its key and the whole path."""
    golden = project.parent / "data" / "golden.npz"
    golden.unlink()

    with pytest.raises(ConfigurationError, match=r"service\.golden: expected a file at") as caught:
        Assembly.of(project)

    assert str(golden) in str(caught.value)


def test_wrong_limit(project: Path) -> None:
    """A limit that the contract does not know is refused before anything is built."""
    project.write_text(RIGHT + "xyzzy = 1")

    with pytest.raises(ConfigurationError, match="contract has no key 'xyzzy'"):
        Assembly.of(project)


def test_damaged_model(project: Path) -> None:
    """A model that its manifest does not know is refused before anything is built."""
    (project.parent / "data" / "model.onnx").write_text("another model")

    with pytest.raises(ConfigurationError, match=r"service\.artifact"):
        Assembly.of(project)


def test_blueprint(project: Path) -> None:
    """A platform is made from the settings, with the contract's tolerance."""
    assembly = Assembly.of(project)

    blueprint = assembly.blueprint({"service": "a:1"}, "mf-1")

    assert (blueprint.run_id, blueprint.tolerance) == ("mf-1", 0.25)
    assert blueprint.images == {"service": "a:1"}
    assert blueprint.settings is assembly.settings
    assert blueprint.artifact is assembly.artifact


def test_context_of_a_service(project: Path) -> None:
    """The folder enters the image as it is, less what .dockerignore names."""
    folder = project.parent / "app"
    (folder / ".dockerignore").write_text("training\nmodels\n")
    (folder / "deep" / "__pycache__").mkdir()
    (folder / "deep" / "__pycache__" / "inside.cpython-311.pyc").write_bytes(b"compiled")

    names = inside(folder)

    assert {"Dockerfile", "main.py", "deep/inside.py"} <= set(names)
    assert not [name for name in names if name.startswith(("training", "models", "deep/__"))]
    assert len(set(names)) == len(names)


def test_without_dockerignore(project: Path) -> None:
    """Without a .dockerignore everything in the folder enters the image."""
    assert {"training/train.py", "models/v1.txt"} <= set(inside(project.parent / "app"))


def test_comment_in_dockerignore(project: Path) -> None:
    """What a comment in .dockerignore speaks of is not ignored."""
    folder = project.parent / "app"
    (folder / ".dockerignore").write_text("# the models stay\ntraining\n")

    assert "models/v1.txt" in inside(folder)


def test_lock_of_a_service(project: Path) -> None:
    """A service's requirements.lock pins the wheels of its image; it may have none."""
    lock = project.parent / "app" / "requirements.lock"

    assert service_recipe(lock.parent, None, bake=False).lock == lock
    lock.unlink()
    assert service_recipe(lock.parent, None, bake=False).lock is None


def test_baked_model(project: Path) -> None:
    """A baked model enters the image, and makes it another image; else only its manifest does."""
    artifact, folder = Assembly.of(project).artifact, project.parent / "app"

    baked = service_recipe(folder, artifact, bake=True)
    apart = service_recipe(folder, artifact, bake=False)

    assert baked.files["model/model.onnx"] == project.parent / "data" / "model.onnx"
    assert (baked.arguments, apart.arguments) == ({"MODEL_SOURCE": "baked"}, {})
    assert "model/model.onnx" not in apart.files
    assert "model/manifest.json" in apart.files
    assert baked.tag(BASE) != apart.tag(BASE)


def test_nonsensical_retries(project: Path) -> None:
    """A retry policy that the load generator would refuse is refused before anything is built."""
    project.write_text(RIGHT + '[load.retry]\ncodes = ["UNAVAILBLE"]')

    with pytest.raises(ConfigurationError, match="UNAVAILBLE"):
        Assembly.of(project)


@pytest.mark.parametrize(("line", "model"), [("", "downloaded"), ("bake_model = true", "baked")])
def test_where_replicas_have_their_model_from(project: Path, line: str, model: str) -> None:
    """As the settings say; the image that all replicas start from needs no building then."""
    project.write_text(RIGHT.replace('build = "app"', f'build = "app"\n{line}'))

    blueprint = Assembly.of(project).blueprint({"service": "a:1"}, "mf-1")

    assert blueprint.model == model
    assert blueprint.variant() == blueprint.variant(blueprint.model) == Variant("a:1", model)  # type: ignore[arg-type]


@pytest.mark.parametrize("change", [('build = "app"', 'image = "a:1"'), ('artifact = "data"', "")])
def test_no_other_model_source(project: Path, change: tuple[str, str]) -> None:
    """An image made elsewhere, or a service without artifact, has no variant: the error says so."""
    project.write_text(RIGHT.replace(*change))

    blueprint = Assembly.of(project).blueprint({"service": "a:1"}, "mf-1")

    assert blueprint.variant() == Variant("a:1", None)
    with pytest.raises(PlatformError, match=r"expected service\.build and service\.artifact"):
        blueprint.variant("baked")
