"""When a replica that says it is not alive has said so for long enough to be restarted.

Kubernetes' page "Configure Liveness, Readiness and Startup Probes": failureThreshold 3 times
periodSeconds 10; nothing is held against a container before its startup probe succeeded.
"""

from dataclasses import dataclass

UNOFFERED = "UNIMPLEMENTED"


@dataclass(slots=True)
class Liveness:
    """Counts failures in a row, at most one in each period, however often is asked."""

    period_s: float
    failures_allowed: int
    _failures: int = 0
    _due_s: float = float("-inf")  # when the next failure may count
    _was_live: bool = False

    def heard(self, live: bool | None, code: str, now_s: float) -> bool:
        """Whether this answer is the one too many. Told once: the next one counts from nought."""
        if live or code == UNOFFERED:
            self._was_live = self._was_live or bool(live)
            self._failures = 0
            return False
        if not self._was_live or (self._failures and now_s < self._due_s):
            return False
        # From due to due, so that rounds which come a little early do not cost a period each.
        since_s = max(self._due_s, now_s - self.period_s) if self._failures else now_s
        self._due_s = since_s + self.period_s
        self._failures += 1
        if self._failures < self.failures_allowed:
            return False
        self._failures = 0
        return True
