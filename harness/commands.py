"""The commands that need nothing but the harness: setup, heal, judge."""

import argparse
import sys
from pathlib import Path

from harness import clauses, engine, run
from harness.assembly import Assembly
from harness.contract import judge as hold
from harness.errors import ExitStatus
from harness.history import whole_run
from harness.session import heal as heal_engine


def _say(what: str) -> None:
    sys.stderr.write(f"mayfly: {what}\n")


def setup(arguments: list[str]) -> int:
    """``mayfly setup``: a Docker engine that answers, and all images."""
    parser = argparse.ArgumentParser(prog="mayfly setup", description=setup.__doc__)
    parser.add_argument("--resilience", type=Path, default=Path("resilience.toml"))
    options = parser.parse_args(arguments)
    assembly = Assembly.of(options.resilience)
    engine.ensure(_say).close()
    assembly.images(_say)
    return ExitStatus.ALL_HELD


def heal(arguments: list[str]) -> int:
    """``mayfly heal``: undo and remove what dead runs left behind, and say what that was."""
    argparse.ArgumentParser(prog="mayfly heal", description=heal.__doc__).parse_args(arguments)
    removed = heal_engine()
    for each in removed:
        sys.stdout.write(f"{each.verb} {each} of run {each.run}\n")
    if not removed:
        sys.stdout.write("nothing was left behind\n")
    return ExitStatus.ALL_HELD


def judge(arguments: list[str]) -> int:
    """``mayfly judge RUN_DIR``: judge a stored run by the clauses of today; print what changed."""
    parser = argparse.ArgumentParser(prog="mayfly judge", description=judge.__doc__)
    parser.add_argument("run_directory", metavar="RUN_DIR", type=Path)
    stored = run.load(parser.parse_args(arguments).run_directory)
    if not stored.finished:
        _say(f"the run is unfinished: {stored.reach}")
    changed = 0
    for position, scenario in enumerate(stored.scenarios):
        histories = tuple(each.history for each in stored.scenarios[: position + 1])
        everything = whole_run(histories, scenario.name)
        for before in scenario.verdicts:
            history = everything if before.scope == "run" else scenario.history
            (now,) = hold(clauses.named(before.id), history, stored.limits, before.scope)
            if now.verdict is not before.verdict:
                changed += 1
                sys.stdout.write(
                    f"{before.id} {scenario.name}: {before.verdict} -> {now.verdict}: "
                    f"{now.sentence}\n"
                )
    sys.stdout.write(f"{changed} of {len(stored.verdicts)} verdicts changed\n")
    return ExitStatus.ALL_HELD
