"""The open loop: send when the schedule says so, whatever became of the requests before.

In flight are at most rate x deadline requests, because each ends with its deadline. A new rate
moves what is not yet due; what was due before it stays due when it was.
"""

import asyncio
import math
import time
from collections.abc import Awaitable

import grpc

from harness.history import RateChange
from harness.load.oip import Workload
from harness.load.pacing import pacer
from harness.load.plan import Plan
from harness.load.recording import Recording
from harness.load.retry import Budget, backoff_s
from harness.load.schedule import Timetable
from harness.load.wire import CANCELLED, Reply, Wire

_BURST = 32  # sends in one go when behind, so that answers are read in between


class Sender:
    """Sends one plan's requests over one wire, follows each to its end, and records it.

    Requests are followed in ``tasks``: leaving that group waits for all that are in flight.
    """

    def __init__(
        self,
        plan: Plan,
        workload: Workload,
        wire: Wire,
        recording: Recording,
        tasks: asyncio.TaskGroup,
    ) -> None:
        self._plan = plan
        self._workload = workload
        self._wire = wire
        self._recording = recording
        self._tasks = tasks
        self._budget = Budget(plan.retry)
        self._patience_s = plan.retry.attempt_timeout_s or math.inf
        self._retried = {grpc.StatusCode[name].value[0] for name in plan.retry.codes}
        self._timetable = Timetable(plan.schedule, plan.offered, plan.seed)
        self._pacer = pacer(asyncio.get_running_loop(), self._send_due)
        self.rate_changes: list[RateChange] = []
        self._origin_s = 0.0
        self._next_s = math.inf  # when the next request is intended
        self._sent = 0

    @property
    def pacing(self) -> str:
        """What paces the sending."""
        return self._pacer.name

    @property
    def retries_refused(self) -> int:
        """Retries that the budget did not allow."""
        return self._budget.refused

    def begin(self, at_s: float) -> None:
        """Send the first request at this monotonic time, and the others after it."""
        self._origin_s = at_s
        self._await(self._timetable.next_s)

    def change_rate(self, rate_rps: float) -> RateChange:
        """Offer one constant rate from now on, or from the beginning if that is still to come."""
        at_s = max(time.monotonic(), self._origin_s)
        self._await(self._timetable.change(at_s - self._origin_s, rate_rps))
        self.rate_changes.append(RateChange(at_s, rate_rps))
        return self.rate_changes[-1]

    def stop(self, at_s: float) -> int:
        """Send no more; the number of requests that were planned up to this monotonic time."""
        if self._next_s <= at_s:
            self._send_due()  # the order to stop overtook the timer: these were due before it
        self._pacer.close()
        planned = self._sent
        while self._next_s <= at_s:
            planned += 1
            self._next_s = self._origin_s + self._timetable.advance()
        return planned

    def _await(self, offset_s: float) -> None:
        """Let the next request be due at this offset, which may never come."""
        self._next_s = self._origin_s + offset_s
        if self._next_s < math.inf:
            self._pacer.wake_at(self._next_s)

    def _send_due(self) -> None:
        for _ in range(_BURST):
            if self._next_s > time.monotonic():
                break
            self._send(self._sent, self._next_s)
            self._sent += 1
            self._next_s = self._origin_s + self._timetable.advance()
        if self._next_s < math.inf:
            self._pacer.wake_at(self._next_s)

    def _send(self, n: int, intended_s: float) -> None:
        request_id = f"{self._plan.id_prefix}{n:07d}"
        body = self._workload.body(self._workload.case(n), request_id)
        sent_s = time.monotonic()
        # Sent from here and not from the task, which would begin one turn of the event loop later.
        reply = self._wire.send(body, request_id, 1, min(self._plan.deadline_s, self._patience_s))
        self._recording.sent(sent_s - intended_s)
        self._budget.deposit(sent_s)
        self._tasks.create_task(self._follow(n, request_id, intended_s, sent_s, reply))

    async def _follow(
        self, n: int, request_id: str, intended_s: float, sent_s: float, first: Awaitable[Reply]
    ) -> None:
        """See a request through all its attempts, and record how it ended."""
        case = self._workload.case(n)
        reply, number, attempt_s = first, 1, sent_s
        while True:
            answer = await _ended(reply)
            done_s = time.monotonic()
            self._recording.attempt(
                request_id, number, attempt_s, done_s, answer.status, answer.detail
            )
            pause_s = self._pause_s(n, number, answer.status, sent_s, done_s)
            if pause_s is None or not await _slept(pause_s):
                break
            number, attempt_s = number + 1, time.monotonic()
            left_s = max(0.001, sent_s + self._plan.deadline_s - attempt_s)
            body = self._workload.body(case, request_id)
            reply = self._wire.send(body, request_id, number, min(left_s, self._patience_s))
        opinion = None
        if answer.body is not None:
            opinion = self._workload.judge(case, request_id, answer.body)
        times_s = (intended_s, sent_s, done_s)
        self._recording.request(n, request_id, times_s, number, answer.status, case, opinion)

    def _pause_s(
        self, n: int, attempt: int, status: int, sent_s: float, now_s: float
    ) -> float | None:
        """Seconds to wait before the next attempt, or None if there is to be none."""
        policy = self._plan.retry
        if status not in self._retried or attempt >= policy.attempts:
            return None
        pause_s = backoff_s(policy, self._plan.seed, n, attempt)
        if now_s + pause_s >= sent_s + self._plan.deadline_s:
            return None
        return pause_s if self._budget.withdraw(now_s) else None


async def _ended(reply: Awaitable[Reply]) -> Reply:
    try:
        return await reply
    except asyncio.CancelledError:  # the run ended while it still had no outcome
        return Reply(CANCELLED, "cancelled by the load generator at its end", None)


async def _slept(pause_s: float) -> bool:
    """Wait; False if the run ended meanwhile, or had ended before."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        return False
    try:
        await asyncio.sleep(pause_s)
    except asyncio.CancelledError:
        return False
    return True
