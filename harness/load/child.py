"""The generator process from its first line of orders to its rows on disk.

Orders come on stdin, reports go to stdout (harness.load.messages). It ends when stdin does: then
whoever started it is gone, even if by SIGKILL.
"""

import asyncio
import gc
import os
import sys
import time
from collections.abc import Mapping
from contextlib import suppress

import numpy as np

from harness.errors import LoadError
from harness.history import Generator
from harness.load import Conditions
from harness.load.http2.wire import Http2Wire
from harness.load.messages import Order, Report, command, line, order, results
from harness.load.oip import Workload
from harness.load.plan import Plan, RetryPolicy
from harness.load.priority import raise_priority
from harness.load.recording import Recording, lags_ms
from harness.load.retry import backoff_s
from harness.load.sender import Sender
from harness.load.wire import GrpcWire, Wire

PROGRESS_S = 0.2
_GRACE_S = 1.0  # beyond the deadline, for gRPC to tell that it has passed
_STDIN, _STDOUT = 0, 1
_ABANDONED = 3  # exit status when stdin ended: nobody is left to read it


def main() -> None:
    """Carry out one order. What goes wrong is reported, and written to stderr."""
    priority = raise_priority()  # before gRPC starts its threads, which inherit it
    try:
        asyncio.run(_carry_out(order(_read_line()), priority))
    except LoadError as error:
        _say(Report("failed", error=str(error)))
        sys.exit(1)


class Orders:
    """The later lines on stdin: two instants to wait for, and new rates between them."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.begun: asyncio.Future[float] = loop.create_future()  # when to send the first request
        self.stopped: asyncio.Future[float] = loop.create_future()  # when the order to stop came
        self.rates: asyncio.Queue[float] = asyncio.Queue()
        self._rest = b""
        loop.add_reader(_STDIN, self._read)
        loop.set_exception_handler(self._callback_failed)

    def _callback_failed(
        self, loop: asyncio.AbstractEventLoop, context: Mapping[str, object]
    ) -> None:
        """End the run when sending itself fails, which else would go on without a request."""
        loop.default_exception_handler(dict(context))
        error = context.get("exception")
        # gRPC's poller raises BlockingIOError when a wake-up was already taken: that is harmless.
        if "handle" not in context or isinstance(error, BlockingIOError):
            return
        if isinstance(error, Exception) and not self.stopped.done():
            self.stopped.set_exception(error)

    def _read(self) -> None:
        chunk = os.read(_STDIN, 4096)
        if not chunk:
            os._exit(_ABANDONED)  # at once, whatever gRPC's threads are doing
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for text in lines:
            told = command(text)
            if told.kind == "begin" and not self.begun.done():
                self.begun.set_result(told.at_s)
            if told.kind == "rate":
                self.rates.put_nowait(told.rate_rps)
            if told.kind == "stop" and not self.stopped.done():
                self.stopped.set_result(time.monotonic())


async def _carry_out(told: Order, priority: str) -> None:
    """Connect, send from begin to stop, wait for what is in flight, and write the rows."""
    plan = told.plan
    orders = Orders(asyncio.get_running_loop())
    workload = Workload.load(plan.golden, plan.model_name, plan.seed, plan.tolerance)
    wire = await _connect(plan, told.connect_s)
    recording = Recording()
    _warm_up(workload)
    os.set_blocking(_STDOUT, False)  # sending must not wait for a reader who is slow or stopped
    _say(Report("ready"))
    await asyncio.wait((orders.begun, orders.stopped), return_when=asyncio.FIRST_COMPLETED)
    began_cpu_s = time.process_time()
    teller = asyncio.create_task(_tell(recording))
    with suppress(TimeoutError):
        async with asyncio.timeout(None) as limit, asyncio.TaskGroup() as tasks:
            sender = Sender(plan, workload, wire, recording, tasks)
            if orders.begun.done():  # or else it is to stop without having begun
                sender.begin(orders.begun.result())
            changer = asyncio.create_task(_change_rates(orders.rates, sender))
            stopped_s = await orders.stopped
            changer.cancel()
            planned = sender.stop(stopped_s)
            limit.reschedule(time.monotonic() + plan.deadline_s + _GRACE_S)
    teller.cancel()
    conditions = Conditions(priority, sender.pacing, time.process_time() - began_cpu_s)
    await wire.close()
    os.set_blocking(_STDOUT, True)
    rows = {"requests": recording.requests.table(), "attempts": recording.attempts.table()}
    np.savez(results(told.directory), allow_pickle=False, **rows)
    generator = _generator(plan, recording, sender, planned)
    _say(Report("done", recording.progress(), generator, conditions))


async def _connect(plan: Plan, timeout_s: float) -> Wire:
    if plan.engine == "http2":
        return await Http2Wire.connect(plan.address, timeout_s)
    return await GrpcWire.connect(plan.address, timeout_s)


def _read_line() -> bytes:
    """Read the order byte by byte, because a buffer would swallow the lines that come after."""
    text = b""
    while not text.endswith(b"\n"):
        byte = os.read(_STDIN, 1)
        if not byte:
            os._exit(_ABANDONED)
        text += byte
    return text


async def _tell(recording: Recording) -> None:
    while True:
        await asyncio.sleep(PROGRESS_S)
        with suppress(BlockingIOError):  # nobody reads: the next report says more anyway
            _say(Report("progress", recording.progress()))


async def _change_rates(rates: asyncio.Queue[float], sender: Sender) -> None:
    while True:
        _say(Report("rate", change=sender.change_rate(await rates.get())))


def _generator(plan: Plan, recording: Recording, sender: Sender, planned: int) -> Generator:
    p50_ms, p99_ms, max_ms = lags_ms(recording.lags_s)
    return Generator(
        name=plan.id_prefix,
        rate_rps=plan.rate_rps,
        schedule=plan.schedule,
        planned=planned,
        sent=len(recording.lags_s),
        lag_p50_ms=p50_ms,
        lag_p99_ms=p99_ms,
        lag_max_ms=max_ms,
        retries=recording.retries,
        retries_refused=sender.retries_refused,
        profile=plan.profile,
        rate_changes=tuple(sender.rate_changes),
    )


def _warm_up(workload: Workload) -> None:
    """Do now, and not between two sends, what Python does once: imports, caches, collections."""
    trial = Recording()
    trial.sent(0.0)
    opinion = workload.judge(0, "", workload.body(0, ""))
    trial.attempt("", 1, 0.0, 0.0, 0, "")
    trial.request(0, "", (0.0, 0.0, 0.0), 1, 0, 0, opinion)
    line(Report("progress", trial.progress()))
    backoff_s(RetryPolicy(), 0, 0, 1)
    gc.collect()
    gc.freeze()
    gc.disable()


def _say(report: Report) -> None:
    os.write(_STDOUT, line(report))  # below PIPE_BUF, so it is written whole or not at all
