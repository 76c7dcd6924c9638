"""Recipes of images: a tag that follows from the inputs, and a context that is always the same."""

import os
import re
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import ImageError
from harness.images.build import BACKING
from harness.images.recipe import Recipe

BASE = "debian:bookworm-slim"


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    """A Dockerfile, a folder with a script and a module, one file, a lock and an argument."""
    folder = tmp_path / "files"
    (folder / "deep").mkdir(parents=True)
    (folder / "entrypoint").write_text("#!/bin/sh\n")
    (folder / "entrypoint").chmod(0o755)
    (folder / "deep" / "module.py").write_text("x = 1\n")
    for name in ("Dockerfile", "lock", "one.txt"):
        (tmp_path / name).write_text(name)
    files = {"files": folder, "app/one.txt": tmp_path / "one.txt"}
    return Recipe("sample", tmp_path / "Dockerfile", files, tmp_path / "lock", {"SOURCE": "store"})


def members(recipe: Recipe, wheels: Path | None = None) -> list[tarfile.TarInfo]:
    """The entries of the build context."""
    with tarfile.open(fileobj=recipe.context(wheels)) as tar:
        return tar.getmembers()


def test_tag_names_the_image(recipe: Recipe) -> None:
    """A tag is the recipe's name and twelve digits of a hash, the same each time."""
    name, _, digits = recipe.tag(BASE).partition(":")

    assert name == "mayfly/sample"
    assert len(digits) == 12
    assert int(digits, 16) >= 0
    assert recipe.tag(BASE) == recipe.tag(BASE)


@pytest.mark.parametrize("changed", ["Dockerfile", "lock", "one.txt", "files/deep/module.py"])
def test_content_changes_the_tag(recipe: Recipe, changed: str) -> None:
    """Another content of any input is another tag, and the old content the old one again."""
    path = recipe.dockerfile.parent / changed
    before, content = recipe.tag(BASE), path.read_text()

    path.write_text("something else")
    assert recipe.tag(BASE) != before
    path.write_text(content)
    assert recipe.tag(BASE) == before


def test_other_inputs_change_the_tag(recipe: Recipe) -> None:
    """The base image, the arguments, the lock and the places of files are inputs too."""
    moved = {"elsewhere": recipe.files["files"], "app/one.txt": recipe.files["app/one.txt"]}
    tags = [
        recipe.tag(BASE),
        recipe.tag("debian:trixie-slim"),
        replace(recipe, arguments={"SOURCE": "baked"}).tag(BASE),
        replace(recipe, arguments={}).tag(BASE),
        replace(recipe, lock=None).tag(BASE),
        replace(recipe, files=moved).tag(BASE),
        replace(recipe, files={}).tag(BASE),
    ]

    assert len(set(tags)) == len(tags)


def test_a_new_and_a_renamed_file_change_the_tag(recipe: Recipe) -> None:
    """A file more in a folder, or another name of one, is another tag."""
    before = recipe.tag(BASE)
    added = recipe.files["files"] / "new"
    added.write_text("")
    with_new = recipe.tag(BASE)
    added.rename(added.with_name("renamed"))

    assert len({before, with_new, recipe.tag(BASE)}) == 3


def test_what_is_no_input_leaves_the_tag(recipe: Recipe) -> None:
    """Times, compiled Python and the order in which files are named do not matter."""
    before, context = recipe.tag(BASE), recipe.context(None).read()
    folder = recipe.files["files"]
    os.utime(folder / "entrypoint", (1, 1))
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "module.cpython-311.pyc").write_bytes(b"compiled")
    (folder / "stray.pyc").write_bytes(b"compiled")
    turned = replace(recipe, files=dict(reversed(list(recipe.files.items()))))

    assert turned.tag(BASE) == before
    assert turned.context(None).read() == context


def test_executable_bit_changes_the_tag(recipe: Recipe) -> None:
    """The executable bit enters the image, so another bit is another tag."""
    before = recipe.tag(BASE)
    (recipe.files["files"] / "entrypoint").chmod(0o644)

    assert recipe.tag(BASE) != before


def test_content_cannot_pass_for_another_file(recipe: Recipe, tmp_path: Path) -> None:
    """Two files and one that ends in the name and content of the other are not the same."""
    for name, content in (("a", b"1"), ("b", b"2"), ("both", b"1b\x002")):
        (tmp_path / name).write_bytes(content)
    two = replace(recipe, files={"a": tmp_path / "a", "b": tmp_path / "b"})
    one = replace(recipe, files={"a": tmp_path / "both"})

    assert two.tag(BASE) != one.tag(BASE)


def test_context(recipe: Recipe) -> None:
    """The context holds Dockerfile, files at their places, and lock; no owners, no times."""
    entries = members(recipe)

    assert [each.name for each in entries] == [
        "Dockerfile",
        "app/one.txt",
        "files/deep/module.py",
        "files/entrypoint",
        "requirements.lock",
    ]
    assert {(each.mtime, each.uid, each.gid, each.uname) for each in entries} == {(0, 0, 0, "")}


def test_executable_bit_is_kept(recipe: Recipe) -> None:
    """What can be executed here can be executed in the image; nothing else can."""
    modes = {each.name: each.mode for each in members(recipe)}

    assert modes.pop("files/entrypoint") == 0o755
    assert set(modes.values()) == {0o644}


def test_wheels_enter_the_context(recipe: Recipe, tmp_path: Path) -> None:
    """Wheels lie in wheels/, in the order of their names."""
    wheels = tmp_path / "wheelhouse"
    wheels.mkdir()
    for name in ("b-1.whl", "a-1.whl"):
        (wheels / name).write_bytes(b"wheel")

    names = [each.name for each in members(recipe, wheels)]

    assert [name for name in names if name.startswith("wheels/")] == [
        "wheels/a-1.whl",
        "wheels/b-1.whl",
    ]


def test_missing_file(recipe: Recipe, tmp_path: Path) -> None:
    """A file that is not there is an ImageError that names it and says what to do."""
    broken = replace(recipe, files={"gone": tmp_path / "gone"})

    with pytest.raises(ImageError, match=rf"sample needs {tmp_path / 'gone'}.*restore it"):
        broken.tag(BASE)


@pytest.mark.parametrize("missing", ["dockerfile", "lock"])
def test_missing_dockerfile_or_lock(recipe: Recipe, tmp_path: Path, missing: str) -> None:
    """A folder without Dockerfile, as a mistyped service.build leads to, is an ImageError too."""
    broken = Recipe(
        "sample",
        tmp_path / "gone" if missing == "dockerfile" else recipe.dockerfile,
        {},
        tmp_path / "gone" if missing == "lock" else None,
    )

    with pytest.raises(ImageError, match="gone"):
        broken.tag(BASE)


@pytest.mark.parametrize("name", BACKING)
def test_own_recipes_are_whole(name: str) -> None:
    """Every image of the platform has all that it copies, and entrypoints can be executed."""
    modes = {each.name: each.mode for each in members(BACKING[name])}
    copied = re.findall(r"^COPY (files/\S+)", BACKING[name].dockerfile.read_text(), re.MULTILINE)

    assert [modes[path] for path in copied] == [0o755] * len(copied)
    assert copied or name in {"balancer", "proxy"}
    assert len({recipe.tag(BASE) for recipe in BACKING.values()}) == len(BACKING)
