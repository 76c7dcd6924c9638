"""What the project promises, one session each: `./noxw -s NAME` makes all that it needs."""

import hashlib
import subprocess
from pathlib import Path

import nox

nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_existing_virtualenvs = True
nox.options.sessions = ["lint", "tests"]

ROOT = Path(__file__).parent


def install(session: nox.Session, *requirements: str) -> None:
    """Install the project and more, unless this environment already holds exactly that."""
    wanted = hashlib.sha256((ROOT / "pyproject.toml").read_bytes())
    wanted.update(repr((requirements, str(ROOT))).encode())
    stamp = Path(session.virtualenv.location) / "installed"
    if stamp.exists() and stamp.read_text() == wanted.hexdigest():
        return
    session.install("--editable", *requirements)
    stamp.write_text(wanted.hexdigest())


def group(name: str) -> list[str]:
    """The requirements of a dependency group."""
    return nox.project.dependency_groups(nox.project.load_toml("pyproject.toml"), name)


@nox.session
def chaos(session: nox.Session) -> None:
    """Everything from nothing: Docker engine, images, all suites; reports/latest/report.html."""
    install(session, ".")
    session.run("mayfly", "setup")
    command = [str(Path(session.bin) / "pytest"), "faults", *session.posargs]
    done = subprocess.run(command, check=False, cwd=ROOT)
    if done.returncode:
        # nox would make 1 of it; 6 and 7 have a meaning that scripts rely on.
        raise SystemExit(done.returncode)


@nox.session
def tests(session: nox.Session) -> None:
    """The project's own tests, on containers where the promise is about containers."""
    install(session, ".[service]", *group("tests"))
    session.run("mayfly", "setup")
    session.run("python", "-m", "tests.reports.browser.chromium")
    session.run("pytest", "tests", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Ruff, mypy --strict, import-linter."""
    install(session, ".[service]", *group("tests"), *group("lint"))
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("mypy")
    session.run("lint-imports")


@nox.session
def dev(session: nox.Session) -> None:
    """Make .venv with an editable install, for `pytest -k rescheduling` by hand."""
    python = ROOT / ".venv" / "bin" / "python"
    if not python.exists():
        session.run("uv", "venv", "--python", "python3", ".venv", external=True)
    requirements = ["--editable", ".[service]", *group("tests"), *group("lint")]
    session.run("uv", "pip", "install", "--python", str(python), *requirements, external=True)
    session.run(str(python), "-m", "harness", "setup", external=True)
    session.log("now: . .venv/bin/activate && pytest -k rescheduling")


@nox.session
def bench(session: nox.Session) -> None:
    """Benchmarks; bench/latest.json."""
    install(session, ".[service]", *group("tests"))
    session.run("mayfly", "setup")
    session.run("python", "-m", "bench", *session.posargs)
