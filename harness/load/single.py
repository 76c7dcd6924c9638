"""A handful of single calls beside the load, to learn what became of each."""

import asyncio
import time
from dataclasses import dataclass

from harness.load.http2.wire import Http2Wire
from harness.load.oip import Workload
from harness.load.plan import Plan
from harness.tables import CORRECT


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one call ended. Times are monotonic seconds."""

    request_id: str
    sent_s: float
    done_s: float
    status: int  # gRPC's code, 0 is OK
    detail: str
    is_correct: bool  # the golden answer

    @property
    def took_s(self) -> float:
        """From sending until the outcome."""
        return self.done_s - self.sent_s


def call(plan: Plan, deadline_s: float, count: int = 1, connect_s: float = 10.0) -> list[Outcome]:
    """Send ``count`` calls at once over one connection of their own, none of them ever retried.

    Of the plan count address, model, golden set, seed and id prefix, which has to be their own; the
    deadline is ``deadline_s``. Raises LoadError where there is no connection, or no golden set.
    """
    return asyncio.run(_call(plan, deadline_s, count, connect_s))


async def _call(plan: Plan, deadline_s: float, count: int, connect_s: float) -> list[Outcome]:
    workload = Workload.load(plan.golden, plan.model_name, plan.seed, plan.tolerance)
    wire = await Http2Wire.connect(plan.address, connect_s)
    try:
        return await asyncio.gather(
            *(_one(plan, workload, wire, n, deadline_s) for n in range(count))
        )
    finally:
        await wire.close()


async def _one(
    plan: Plan, workload: Workload, wire: Http2Wire, n: int, deadline_s: float
) -> Outcome:
    request_id, case = f"{plan.id_prefix}{n:07d}", workload.case(n)
    sent_s = time.monotonic()
    reply = await wire.send(workload.body(case, request_id), request_id, 1, deadline_s)
    done_s = time.monotonic()
    right = (
        reply.body is not None and workload.judge(case, request_id, reply.body).correct == CORRECT
    )
    return Outcome(request_id, sent_s, done_s, reply.status, reply.detail, right)
