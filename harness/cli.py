"""The console script ``mayfly``. Commands are entry points of the group ``mayfly.commands``."""

import sys
from importlib.metadata import entry_points

from harness.errors import ExitStatus, MayflyError

_GROUP = "mayfly.commands"


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the exit status is the command's own."""
    words = sys.argv[1:] if arguments is None else arguments
    commands = {entry.name: entry for entry in entry_points(group=_GROUP)}
    if not words or words[0] not in commands:
        asked = f"no command {words[0]!r}" if words and not words[0].startswith("-") else "usage"
        sys.stderr.write(f"mayfly: {asked}; commands: {', '.join(sorted(commands))}\n")
        return 0 if words[:1] in (["--help"], ["-h"]) else 2
    try:
        return int(commands[words[0]].load()(words[1:]))
    except MayflyError as error:
        sys.stderr.write(f"mayfly {words[0]}: {error}\n")
        return ExitStatus.HARNESS_FAILED
