"""What is noted of requests adds up to rows and progress reports."""

from array import array

from harness.load.oip import Opinion
from harness.load.recording import Recording, lags_ms
from harness.tables import CORRECT, NO_ANSWER, WRONG


def note(recording: Recording, n: int, status: int, correct: int | None) -> None:
    """Note the nth request, sent 1 ms late."""
    recording.sent(0.001)
    opinion = None if correct is None else Opinion(correct, "réplica")
    recording.request(n, f"id-{n}", (n, n + 0.001, n + 1), 1, status, 0, opinion)


def test_progress_counts_what_failed_and_what_was_wrong() -> None:
    """Failed are other statuses than OK; wrong are OK with another answer than the golden one."""
    recording = Recording()
    for n, (status, correct) in enumerate([(0, CORRECT), (0, WRONG), (14, None), (0, CORRECT)]):
        note(recording, n, status, correct)
    found = recording.progress()

    assert (found.sent, found.done, found.failed, found.wrong) == (4, 4, 1, 1)
    assert found.recent_ok_share == 0.5
    assert round(found.lag_p99_ms, 6) == 1.0


def test_the_recent_share_forgets_after_a_second() -> None:
    """Five reports of 0.2 s later a failure counts no more; without outcomes there is no share."""
    recording = Recording()
    note(recording, 0, 14, None)
    assert recording.progress().recent_ok_share == 0.0
    for n in range(1, 5):
        note(recording, n, 0, CORRECT)
        assert recording.progress().recent_ok_share == n / (n + 1)
    note(recording, 5, 0, CORRECT)

    assert recording.progress().recent_ok_share == 1.0
    assert [recording.progress().recent_ok_share for _ in range(6)][-1] is None


def test_rows_come_in_the_order_of_the_schedule() -> None:
    """Requests that end out of order, in many blocks, are rows in order; text is made ASCII."""
    recording = Recording()
    for n in reversed(range(10_000)):
        note(recording, n, 14, None) if n % 2 else note(recording, n, 0, CORRECT)
    rows = recording.requests.table()

    assert rows["intended_s"].tolist() == list(range(10_000))
    assert rows["correct"][:2].tolist() == [CORRECT, NO_ANSWER]
    assert rows["replica"][:2].tolist() == [b"r?plica", b""]


def test_lag_percentiles() -> None:
    """Median, 99th percentile and maximum in milliseconds; zeros where nothing was sent."""
    assert lags_ms(array("d", [n / 1000 for n in range(101)])) == (50.0, 99.0, 100.0)
    assert lags_ms(array("d")) == (0.0, 0.0, 0.0)
