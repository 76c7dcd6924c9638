"""Asks each living replica, past balancer and probe, what it says and what it can do.

One question after the other, in turn: whether it is ready, then one golden inference. So a sample
is a pair of word and deed. truth.py makes the confusion matrix of them. Beside that it watches the
word on a stream of grpc.health.v1, and examines that service once: health_watch.py.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import grpc

from harness.health_watch import HealthWatch
from harness.history import Value
from harness.load.oip import METHOD, Workload
from harness.recorder import Recorder
from harness.surfaces import Answer, Surfaces, Way, channel, readiness
from harness.tables import CORRECT

START_PERIOD_S = 0.05
START_SAMPLES = 100
"""A replica that starts under the eyes of the witness is asked at 20 Hz for its first samples."""

_LOOK_S = 0.02


@dataclass(frozen=True, slots=True)
class Terms:
    """How a witness asks. ``deadline_s`` is the one that callers of the service have."""

    model: str
    workload: Workload
    recorder: Recorder
    run_id: str
    period_s: float
    timeout_s: float  # of the question whether it is ready
    deadline_s: float  # of the golden inference


@contextmanager
def witness(replicas: Callable[[], Mapping[str, Way]], terms: Terms) -> Iterator[None]:
    """Ask all replicas that there are, and that come to be, while the block runs."""
    ended = threading.Event()
    observers: dict[str, _Observer] = {}

    def follow() -> None:
        while not ended.wait(_LOOK_S):
            alive = replicas()
            apart_s = 0.0 if observers else terms.period_s / max(len(alive), 1)
            for place, name in enumerate(sorted(alive.keys() - observers.keys())):
                observers[name] = _Observer(name, alive[name], terms, place * apart_s)
                observers[name].start()
            for name in observers.keys() - alive.keys():
                observers[name].end()

    follower = threading.Thread(target=follow, name="witness", daemon=True)
    follower.start()
    try:
        yield
    finally:
        ended.set()
        follower.join()
        for each in observers.values():
            each.end()
        for each in observers.values():
            each.join(terms.deadline_s + terms.timeout_s)


@dataclass(eq=False)
class _Observer(threading.Thread):
    """Samples one replica until it is gone."""

    replica: str
    way: Way
    terms: Terms
    delay_s: float
    _ended: threading.Event = field(default_factory=threading.Event)
    _first_correct: bool | None = None
    _was_correct: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        super().__init__(name=f"witness-{self.replica}", daemon=True)
        self._link = channel(self.way.grpc_address)
        self._surfaces = Surfaces(self.way, self.terms.model, self.terms.timeout_s)

    def end(self) -> None:
        """Ask nothing more; what is under way is hung up on, and not told."""
        if not self._ended.is_set():
            self._ended.set()
            self._link.close()
            self._surfaces.close()

    def run(self) -> None:
        """One sample after the other, none sooner than the period after the one before."""
        health = HealthWatch(self.replica, self._link, self.terms.recorder, self._ended)
        threading.Thread(target=health.watch, name=f"watch-{self.replica}", daemon=True).start()
        number, examined = 0, False
        # One after the other: asked at once, replicas on one machine slow each other down.
        next_s = time.monotonic() + self.delay_s
        self._ended.wait(self.delay_s)
        with suppress(ValueError):  # grpc's word for a channel that is closed
            while not self._ended.is_set():
                self._sample(number)
                if self._was_correct.is_set() and not examined:
                    examined = True
                    health.examine()
                number += 1
                starting = self._first_correct is not True and number < START_SAMPLES
                next_s = max(
                    next_s + (START_PERIOD_S if starting else self.terms.period_s), time.monotonic()
                )
                self._ended.wait(next_s - time.monotonic())

    def _sample(self, number: int) -> None:
        """Word first, then the deed, whose outcome is noted when it is there.

        Nobody waits for it: the word may change while a golden request hangs.
        """
        began_s = time.monotonic()
        answers = self._surfaces.ask(http=False)
        asked_s = time.monotonic()
        workload = self.terms.workload
        case = workload.case(number)
        request_id = f"{self.terms.run_id}-witness-{self.replica}-{number}"
        infer = self._link.unary_unary(METHOD, _as_it_is, _as_it_is)
        call = infer.future(workload.body(case, request_id), timeout=self.terms.deadline_s)

        def note(done: grpc.Future[bytes]) -> None:
            code, correct = _outcome(done, workload, case, request_id)
            if number == 0:
                self._first_correct = correct
            if correct:
                self._was_correct.set()
            if not self._ended.is_set():
                took_ms = (time.monotonic() - asked_s) * 1000
                details = _details(answers, code, took_ms, correct=correct)
                self.terms.recorder.event("witness", self.replica, details, began_s)

        call.add_done_callback(note)


def _outcome(
    done: grpc.Future[bytes], workload: Workload, case: int, request_id: str
) -> tuple[str, bool]:
    """The code of a golden request, and whether it was answered rightly."""
    try:
        answer = done.result()
    except grpc.FutureCancelledError:
        return "CANCELLED", False
    except grpc.RpcError as error:
        return str(error.code().name), False
    return "OK", workload.judge(case, request_id, answer).correct == CORRECT


def _details(
    answers: Mapping[str, Answer], code: str, took_ms: float, *, correct: bool
) -> dict[str, Value]:
    words = {("live" if name == "ServerLive" else name): a.answer for name, a in answers.items()}
    return {
        "ready": readiness(answers),
        "correct": correct,
        "code": code,
        "latency_ms": round(took_ms, 3),
        **words,
    }


def _as_it_is(message: bytes) -> bytes:
    return message
