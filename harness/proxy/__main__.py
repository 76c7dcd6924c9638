"""``python3 -m proxy``: serve until SIGTERM. Set by environment, all optional.

CONTROL_HOST (0.0.0.0) and CONTROL_PORT (8474): where the control API listens.
LEASE_S (0: none): after so many seconds without a request all proxies are restored.
SEED (none): of every draw that no toxic has a seed of its own for.
"""

import gc
import os
import random
import resource
import signal
import sys
import threading

from .api import Api
from .collection import Collection
from .control import Control
from .lease import Lease
from .loop import Loop


def main() -> None:
    """Start the API in a thread of its own, and serve data in this one."""
    try:
        port, lease_s = int(os.environ.get("CONTROL_PORT", "8474")), _lease_s()
    except ValueError as error:
        sys.exit(f"CONTROL_PORT has to be a whole number and LEASE_S a number from 0: {error}")
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))  # nothing is worth a delay
    _, most_files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most_files, most_files))
    loop = Loop()
    collection = Collection(loop, random.Random(os.environ.get("SEED")))  # noqa: S311
    lease = Lease(lease_s, collection, loop)
    host = os.environ.get("CONTROL_HOST", "0.0.0.0")  # noqa: S104 - of the container
    with Control((host, port), Api(collection, lease, loop)) as control:
        threading.Thread(target=control.serve_forever, name="control", daemon=True).start()
        sys.stderr.write(f"control API on {host}:{control.server_address[1]}\n")
        sys.setswitchinterval(0.0005)  # a request to the API is not to hold up data for long
        gc.freeze()
        loop.run()


def _lease_s() -> float:
    lease_s = float(os.environ.get("LEASE_S", "0"))
    if not 0 <= lease_s < float("inf"):
        raise ValueError(f"LEASE_S is {lease_s}")
    return lease_s


if __name__ == "__main__":
    main()
