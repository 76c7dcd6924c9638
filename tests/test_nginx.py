"""The balancer's configuration, as text, and its access log, as a table."""

import json
import re

import numpy as np
import pytest

from harness import nginx
from harness.settings import Balancer
from harness.tables import ACCESS, text

ROUTES = [nginx.Route("replica-2", "10.0.0.2:8080"), nginx.Route("replica-1", "10.0.0.1:8080")]


def configured(routes: list[nginx.Route], *, generation: int = 7) -> str:
    """nginx.conf with time-outs that no default could stand in for."""
    return nginx.configuration(routes, generation, Balancer(0.125, 1.5))


def block(configuration: str, opening: str) -> str:
    """What stands between the braces after an opening, to the matching closing one."""
    begin = configuration.index(opening) + len(opening)
    depth = 1
    for position in range(begin, len(configuration)):
        depth += {"{": 1, "}": -1}.get(configuration[position], 0)
        if depth == 0:
            return configuration[begin:position]
    raise AssertionError(f"{opening} is never closed")


def entry(**changed: object) -> bytes:
    """A line as nginx 1.22 wrote it in front of gRPC servers, with some values changed."""
    values = {
        "id": "r-1",
        "attempt": "2",
        "at": 1_700_000_100.25,
        "took": 0.253,
        "http": 200,
        "grpc": "",
        "upstream": "10.0.0.1:8080",
        "upstream_status": "200",
        "upstream_took": "0.003",
    }
    return json.dumps(values | changed, separators=(",", ":")).encode()


def one(**changed: object) -> dict[str, object]:
    """The row of the table that one line becomes."""
    (row,) = nginx.access_log([entry(**changed)], wall_minus_monotonic_s=1_700_000_000.0)
    return {
        name: text(row[name]) if ACCESS[name].kind == "S" else row[name].item()
        for name in ACCESS.names or ()
    }


def test_every_route_is_an_upstream() -> None:
    """Each replica is a server of the upstream, left out for a second after five failures."""
    upstream = block(configured(ROUTES), "upstream replicas {")

    served = re.findall(r"server (\S+) max_fails=5 fail_timeout=1s;", upstream)
    assert served == ["10.0.0.2:8080", "10.0.0.1:8080"]
    assert upstream.count("server ") == 2
    assert "grpc_pass grpc://replicas;" in block(configured(ROUTES), "location / {")


def test_no_route_forwards_nothing() -> None:
    """With nobody to send calls to there is no upstream, and every call is refused at once."""
    configuration = configured([])

    assert "upstream replicas" not in configuration
    assert "grpc_pass" not in configuration
    assert "return 503;" in block(configuration, "location / {")


@pytest.mark.parametrize("routes", [[], ROUTES])
def test_failures_become_unavailable(routes: list[nginx.Route]) -> None:
    """502, 503 and 504 become status 14 in trailers-only form: in the headers, without a body."""
    configuration = configured(routes)
    answer = block(configuration, "location @unavailable {")

    assert "error_page 502 503 504 = @unavailable;" in block(configuration, "location / {")
    assert "add_header grpc-status 14 always;" in answer
    assert "default_type application/grpc;" in answer
    assert "return 204;" in answer


def test_timeouts_in_milliseconds() -> None:
    """The configured seconds reach nginx as whole milliseconds."""
    location = block(configured(ROUTES), "location / {")

    assert "grpc_connect_timeout 125ms;" in location
    assert "grpc_read_timeout 1500ms;" in location
    assert "grpc_send_timeout 1500ms;" in location


def test_calls_move_on_from_dead_and_frozen_upstreams() -> None:
    """The balancer itself tries the next replica for connection errors and time-outs, no more."""
    assert "grpc_next_upstream error timeout;" in configured(ROUTES)


@pytest.mark.parametrize(("limit", "routes", "told"), [(20, 2, 40), (80, 1, 80)])
def test_limit_of_calls_in_flight(limit: int, routes: int, told: int) -> None:
    """The limit is that of one replica times the replicas routed to, over all callers together."""
    settings = Balancer(max_in_flight_per_replica=limit)
    configuration = nginx.configuration(ROUTES[:routes], 7, settings)
    location = block(configuration, "location / {")
    answer = block(configuration, "location @busy {")

    assert configuration.count(f" max_conns={2 * limit};") == routes
    assert "limit_conn_zone all zone=in_flight:32k;" in configuration
    assert f"limit_conn in_flight {told};" in location
    assert "limit_conn_status 429;" in location
    assert "error_page 429 = @busy;" in location
    assert "add_header grpc-status 14 always;" in answer
    assert "return 204;" in answer


def test_limit_of_what_is_left_of_a_fleet() -> None:
    """Where replicas are lost the others may take on what the whole fleet may."""
    settings = Balancer(max_in_flight_per_replica=20)

    assert "limit_conn in_flight 60;" in nginx.configuration(ROUTES[:1], 7, settings, fleet=3)


@pytest.mark.parametrize("routes", [[], ROUTES])
def test_no_limit(routes: list[nginx.Route]) -> None:
    """Without a limit, or with nobody to send calls to, nginx counts nothing."""
    assert "limit_conn in_flight" not in configured(routes)
    settings = Balancer(max_in_flight_per_replica=20)
    assert ("limit_conn in_flight" in nginx.configuration(routes, 7, settings)) == bool(routes)


def test_calls_in_flight() -> None:
    """As nginx 1.22 answered with ten gRPC calls under way: "Writing", less the question itself."""
    answer = (
        b"Active connections: 2 \nserver accepts handled requests\n 3 3 13 \n"
        b"Reading: 0 Writing: 11 Waiting: 0 \n"
    )

    assert nginx.in_flight(answer) == 10
    assert nginx.in_flight(answer.replace(b"11", b"1")) == 0


@pytest.mark.parametrize("answer", [b"", b"<html>404</html>", b"Writing: many "])
def test_no_status(answer: bytes) -> None:
    """An answer that is none is an error, and no nought."""
    with pytest.raises(ValueError, match=r"Writing:|invalid literal"):
        nginx.in_flight(answer)


def test_generation_is_told() -> None:
    """The status port tells the generation, and no two generations share a zone."""
    configuration = configured(ROUTES, generation=41)

    assert 'location = /generation { return 200 "41"; }' in configuration
    assert "zone replicas_41 " in configuration
    assert f"listen {nginx.PORT} http2;" in configuration
    assert f"listen {nginx.STATUS_PORT};" in configuration


@pytest.mark.parametrize("routes", [[], ROUTES])
def test_braces_match(routes: list[nginx.Route]) -> None:
    """Every block that is opened is closed, and no placeholder of the template is left."""
    configuration = configured(routes)

    assert configuration.count("{") == configuration.count("}")
    assert re.findall(r"\{[a-z_]+\}", configuration) == []


def test_log_format_is_what_the_reader_reads() -> None:
    """The log format, its variables filled in, is a line that becomes a row."""
    (log_format,) = re.findall(r"log_format history escape=json '(.*)';", configured(ROUTES))
    numbers = re.sub(r'(?<!")\$\w+', "1.5", log_format.replace("$status", "200"))
    line = re.sub(r"\$\w+", "1", numbers)

    rows = nginx.access_log([line.encode()], 0.0)

    assert rows["id"].tolist() == [b"1"]
    assert rows["done_s"].tolist() == [1.5]


def test_routes_detail() -> None:
    """The event names replicas and addresses in the same order, sorted by replica."""
    assert nginx.routes_detail(ROUTES) == {
        "replicas": "replica-1,replica-2",
        "addresses": "10.0.0.1:8080,10.0.0.2:8080",
    }
    assert nginx.routes_detail([]) == {"replicas": "", "addresses": ""}


def test_line_becomes_a_row() -> None:
    """An answered call: its id, attempt, times on the monotonic clock, and who answered."""
    assert one() == {
        "id": "r-1",
        "attempt": 2,
        "done_s": 100.25,
        "took_s": 0.253,
        "http_status": 200,
        "grpc_status": -1,
        "upstream": "10.0.0.1:8080",
        "upstream_status": "200",
        "upstream_took_s": 0.003,
    }


def test_several_upstreams() -> None:
    """A call that moved on keeps all addresses and statuses; its time is that of the last."""
    row = one(
        upstream="10.0.0.1:8080, 10.0.0.2:8080",
        upstream_status="504, 200",
        upstream_took="0.250, 0.003",
    )

    assert row["upstream"] == "10.0.0.1:8080, 10.0.0.2:8080"
    assert row["upstream_status"] == "504, 200"
    assert row["upstream_took_s"] == 0.003


@pytest.mark.parametrize("took", ["", "-", "0.250, -"])
def test_nobody_answered(took: str) -> None:
    """Where the last upstream gave no answer its time is not a number, rather than nought."""
    assert np.isnan(one(upstream_took=took)["upstream_took_s"])  # type: ignore[call-overload]


def test_internal_redirect() -> None:
    """A time after an internal redirect, which nginx separates by a colon, is read too."""
    assert one(upstream_took="0.250 : 0.004")["upstream_took_s"] == 0.004


@pytest.mark.parametrize(("written", "read"), [("14", 14), ("0", 0), ("", -1), ("-", -1)])
def test_grpc_status(written: str, read: int) -> None:
    """The gRPC status of a trailers-only answer, or -1 where nginx saw none."""
    assert one(grpc=written)["grpc_status"] == read


@pytest.mark.parametrize("written", ["", "-", "first"])
def test_no_attempt_named(written: str) -> None:
    """A caller that names no attempt, or nonsense, has attempt 0."""
    assert one(attempt=written)["attempt"] == 0


@pytest.mark.parametrize(
    "other",
    [
        entry()[:60],
        entry()[:-1],
        b'{"id":"r-9"}',
        b'{"id":"r-9","attempt":1}',
        b"",
        b"2026/11/22 14:15:03 [warn] 7#7: a client request body is buffered",
        b'{"level":"info"}',
        b'{"id":"\xff\xfe',
    ],
)
def test_other_lines_are_passed_over(other: bytes) -> None:
    """A line cut off by a kill, or of another kind, is no row and costs no other row."""
    rows = nginx.access_log([entry(id="a"), other, entry(id="b")], 0.0)

    assert rows["id"].tolist() == [b"a", b"b"]


def test_empty_log() -> None:
    """No lines are an empty table with all its columns."""
    rows = nginx.access_log([], 0.0)

    assert (len(rows), rows.dtype) == (0, ACCESS)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (
            Balancer(max_fails=1, fail_timeout_s=10),
            "leaves a replica out for 10 s after 1 failed call",
        ),
        (Balancer(max_fails=5), "leaves a replica out for 1 s after 5 failed calls"),
        (Balancer(max_fails=0), "leaves no replica out that is ready"),
        (Balancer(read_timeout_s=1.5), "gives up on one after 1.5 s"),
        (Balancer(max_in_flight_per_replica=10), "10 calls in flight a replica"),
        (Balancer(), "any number of calls in flight"),
    ],
)
def test_rules_in_words(settings: Balancer, told: str) -> None:
    """A report says which rules the balancer went by: they explain what it did."""
    assert told in nginx.rules(settings).split("; ")
