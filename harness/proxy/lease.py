"""A harness that died must not leave a rule behind: silence for too long puts all back."""

import sys
import time

from .collection import Collection
from .errors import ApiError
from .loop import Loop


class Lease:
    """Each request renews it; when it has run out, all proxies are restored. 0 s: it never does."""

    def __init__(self, lease_s: float, collection: Collection, loop: Loop) -> None:
        self.lease_s = lease_s
        self._collection, self._loop = collection, loop
        self._renewed_s = time.monotonic()
        if lease_s:
            loop.after(lease_s, self._check)

    def renew(self) -> None:
        """Somebody is there; may be called from any thread."""
        self._renewed_s = time.monotonic()

    def _check(self) -> None:
        left_s = self._renewed_s + self.lease_s - time.monotonic()
        if left_s <= 0:
            left_s = self.lease_s
            sys.stderr.write(f"no request for {self.lease_s:g} s: all proxies are restored\n")
            try:
                self._collection.reset()
            except ApiError as error:
                sys.stderr.write(f"expected to restore all proxies: {error.message}\n")
        self._loop.after(left_s, self._check)
