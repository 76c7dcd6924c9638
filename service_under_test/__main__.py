"""Starts one replica: python -m service_under_test."""

import os
import signal
import sys
import time
from types import FrameType

EXIT_BAD_CONFIGURATION = 2


def leave_at_once(_number: int, _frame: FrameType | None) -> None:
    """Exit with 0 when told to stop before anything was begun."""
    os._exit(0)


def main() -> int:
    """Read the environment, then import what serving needs, then serve."""
    started_s = time.monotonic()
    # As process 1 the kernel ignores SIGTERM for us until a handler is set; imports take a while.
    signal.signal(signal.SIGTERM, leave_at_once)
    # onnxruntime reports to its maker by default, and keeps an id in the home directory: we have
    # neither leave for the one nor, on a read-only root, a place for the other.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    from service_under_test.configuration import (  # noqa: PLC0415
        ConfigurationError,
        read_configuration,
    )
    from service_under_test.logs import EventLog  # noqa: PLC0415

    try:
        configuration = read_configuration(os.environ)
    except ConfigurationError as error:
        log = EventLog(os.environ.get("REPLICA_NAME", ""))
        for problem in error.problems:
            log.problem(
                "bad_configuration",
                setting=problem.name,
                expected=problem.expected,
                seen=problem.seen,
                action=problem.action,
            )
        return EXIT_BAD_CONFIGURATION
    log = EventLog(configuration.replica)
    log.info("starting", model_name=configuration.model_name, digest=configuration.model_digest)

    import asyncio  # noqa: PLC0415

    from service_under_test.lifecycle import run  # noqa: PLC0415

    loop = asyncio.new_event_loop()
    return loop.run_until_complete(run(configuration, log, started_s))


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # a thread that still downloads or imports must not hold up the exit
