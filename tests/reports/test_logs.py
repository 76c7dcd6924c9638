"""The ends of logs: little is read, nothing secret is shown, nothing leads out of the folder."""

from pathlib import Path

import pytest

from reports.logs import LENGTH, LINES, LOGS, logs, masked, tail


def _write(folder: Path, name: str, content: str | bytes) -> None:
    raw = content if isinstance(content, bytes) else content.encode()
    (folder / f"{name}.log").write_bytes(raw)


def test_last_lines_are_shown_in_order(tmp_path: Path) -> None:
    """The end of a log, and how much of it that is."""
    _write(tmp_path, "replica-1", "".join(f"line {n}\n" for n in range(100)))
    log = tail(tmp_path, "replica-1")

    assert log is not None
    assert log.lines == tuple(f"line {n}" for n in range(100 - LINES, 100))
    assert log.note == f"the last {LINES} lines"


def test_short_log_is_shown_whole(tmp_path: Path) -> None:
    """It is said that nothing is left out."""
    _write(tmp_path, "replica-1", '{"event": "listening"}\n{"event": "ready"}\n')
    log = tail(tmp_path, "replica-1")

    assert log is not None
    assert log.lines == ('{"event": "listening"}', '{"event": "ready"}')
    assert log.note == "all of its 2 lines"


def test_empty_log_is_empty(tmp_path: Path) -> None:
    """A replica that wrote nothing says nothing."""
    _write(tmp_path, "replica-1", "")
    log = tail(tmp_path, "replica-1")

    assert log is not None
    assert (log.lines, log.note) == ((), "empty")


def test_long_lines_are_cut_and_counted(tmp_path: Path) -> None:
    """What is cut ends in a sign, and the note says how many there are."""
    _write(tmp_path, "replica-1", f"short\n{'x' * 2 * LENGTH}\n")
    log = tail(tmp_path, "replica-1")

    assert log is not None
    assert log.lines == ("short", f"{'x' * (LENGTH - 1)}…")
    assert log.note == f"all of its 2 lines, 1 of them cut at {LENGTH} characters"


def test_only_the_end_of_a_file_is_read(tmp_path: Path) -> None:
    """A line that begins before what is read is not shown in part: its secret may begin there."""
    _write(tmp_path, "replica-1", f"password={'s' * 70_000}\nlast\n")
    log = tail(tmp_path, "replica-1")

    assert log is not None
    assert (log.lines, log.note) == (("last",), "the last 1 line")


def test_one_endless_line_is_not_shown(tmp_path: Path) -> None:
    """Where no line begins in what is read, that is said."""
    _write(tmp_path, "replica-1", "x" * 70_000)
    log = tail(tmp_path, "replica-1")

    assert log is not None
    assert (log.lines, log.note) == ((), "no line ended in the last 64 kB")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("password=hunter2 user=me", "password=*** user=me"),
        ('{"password": "hun\\"ter2", "user": "me"}', '{"password": ***, "user": "me"}'),
        ("DB_PASSWORD: hunter2", "DB_PASSWORD: ***"),
        ("client_secret='hunter2', next", "client_secret=***, next"),
        ("access_token=hunter2&x=1", "access_token=***&x=1"),
        ("Authorization: Bearer hunter2", "Authorization: ***"),
        ('{"authorization": "Basic hunter2", "a": 1}', '{"authorization": ***, "a": 1}'),
        ("postgres://me:hunter2@database/x", "postgres://me:***@database/x"),
        ('{"event": "ready", "after_ms": 580}', '{"event": "ready", "after_ms": 580}'),
    ],
)
def test_secrets_are_blotted_out(line: str, expected: str) -> None:
    """Values after words that announce a secret never reach the page; all else does."""
    assert masked(line) == expected


def test_control_characters_do_not_reach_the_page(tmp_path: Path) -> None:
    """Escapes, bytes that are no text, and marks that turn the text around become visible."""
    _write(tmp_path, "replica-1", b"\x1b[31mred\x00\tend\xff\n\xe2\x80\xaeback\n")
    log = tail(tmp_path, "replica-1")

    assert log is not None
    assert log.lines == ("�[31mred� end�", "�back")


@pytest.mark.parametrize("name", ["../outside", "a/../../outside", "/etc/passwd", "a\x00b"])
def test_names_do_not_lead_out_of_the_folder(tmp_path: Path, name: str) -> None:
    """A hostile name in a run from elsewhere reads no other file."""
    _write(tmp_path, "outside", "not yours\n")
    (folder := tmp_path / "logs").mkdir()

    assert tail(folder, name) is None


def test_links_are_not_followed(tmp_path: Path) -> None:
    """A link in a run from elsewhere reads no other file."""
    _write(tmp_path, "outside", "not yours\n")
    (folder := tmp_path / "logs").mkdir()
    (folder / "replica-1.log").symlink_to(tmp_path / "outside.log")

    assert tail(folder, "replica-1") is None


def test_no_more_logs_than_a_reader_takes(tmp_path: Path) -> None:
    """The first few are shown once each; the others are named."""
    names = [f"replica-{n}" for n in range(LOGS + 2)]
    for name in names:
        _write(tmp_path, name, "said\n")
    found = logs(tmp_path, [*names, *names])

    assert [each.name for each in found.shown] == names[:LOGS]
    assert found.note == f"Not shown: {', '.join(names[LOGS:])}."


def test_missing_log_is_said_to_be_missing(tmp_path: Path) -> None:
    """A replica without a log is named, not passed over."""
    _write(tmp_path, "replica-1", "said\n")

    assert logs(tmp_path, ["replica-1", "replica-2"]).note == "No log was kept of replica-2."


def test_missing_folder_shows_nothing(tmp_path: Path) -> None:
    """A run without logs has a page without logs."""
    assert logs(None, ["replica-1"]).shown == ()
    assert logs(tmp_path / "none", ["replica-1"]).shown == ()


def test_last_words_are_told_from_the_lines_of_the_living(tmp_path: Path) -> None:
    """Only the log of a replica that has ended ends with what it had to say."""
    for name in ("replica-1", "replica-2"):
        _write(tmp_path, name, "said\n")
    found = logs(tmp_path, ["replica-1", "replica-2"], ended={"replica-2"})

    assert [each.ended for each in found.shown] == [False, True]


def test_masking_is_quick_whatever_a_line_holds() -> None:
    """A line that is nothing but words that announce a secret costs time in proportion."""
    line = "secret" * 10_000

    assert masked(line) == line
