"""The balancer: nginx's configuration, made from what the control loop knows; its access log.

The choices rest on measurements of nginx with gRPC: readiness decides who is routed to, and passive
ejection, which with nginx's defaults blacklists a healthy fleet after close restarts, is short and
needs several failures: enough to spare callers a frozen replica until probes see it. An answer for
a dead upstream in trailers-only form, because gRPC retries nothing else. A read time-out below the
client's deadline, because a frozen replica is otherwise never left.

nginx counts each HTTP/2 stream as a connection, for ``limit_conn`` and in its status: both tell the
calls in flight, in memory that all generations of workers share.
"""

import math
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from harness.history import Value
from harness.settings import Balancer
from harness.tables import ACCESS, Table, table

PORT = 8080
STATUS_PORT = 8081

_ATTEMPT_LIMIT = 32_767  # of the column; a caller may send what it likes

_LOG_FORMAT = (
    '{"id":"$http_x_request_id","attempt":"$http_x_mayfly_attempt","at":$msec,'
    '"took":$request_time,"http":$status,"grpc":"$sent_http_grpc_status$sent_trailer_grpc_status",'
    '"upstream":"$upstream_addr","upstream_status":"$upstream_status",'
    '"upstream_took":"$upstream_response_time"}'
)

LOG = "/var/log/mayfly/access.log"
"""Inside its container. A file that the harness reads itself: the engine's own log would cost more
processor time for each call than nginx does."""

_CONFIGURATION = """\
worker_processes 1;
pid /tmp/nginx.pid;
error_log stderr warn;
events {{ worker_connections 4096; }}
http {{
    log_format history escape=json '{log_format}';
    access_log {log} history;
    client_body_temp_path /tmp/body;
    proxy_temp_path /tmp/proxy;
    fastcgi_temp_path /tmp/fastcgi;
    uwsgi_temp_path /tmp/uwsgi;
    scgi_temp_path /tmp/scgi;
    limit_conn_zone all zone=in_flight:32k;
    {upstream}
    server {{
        listen {port} http2;
        # One client connection carries the whole load: nginx must not end it for its age.
        http2_max_concurrent_streams 4096;
        keepalive_requests 100000000;
        keepalive_timeout 1h;
        client_max_body_size 0;
        location / {{
            {forward}
            error_page 502 503 504 = @unavailable;
            error_page 429 = @busy;
        }}
        # Trailers-only: status 14 in the one HEADERS frame, the form that gRPC clients may retry.
        location @unavailable {{
            internal;
            default_type application/grpc;
            add_header grpc-status 14 always;
            add_header grpc-message "no replica could answer" always;
            return 204;
        }}
        # As Envoy's circuit breaker answers an overflow: a short stall is for callers to retry, and
        # their budgets bound what that adds to a long one.
        location @busy {{
            internal;
            default_type application/grpc;
            add_header grpc-status 14 always;
            add_header grpc-message "every replica is busy" always;
            return 204;
        }}
    }}
    server {{
        listen {status_port};
        access_log off;
        location = /generation {{ return 200 "{generation}"; }}
        location = /status {{ stub_status; }}
    }}
}}
"""


_BULKHEAD = 2  # times its share of the fleet's limit
# One key for all callers: it is the fleet that has a limit, not each of its clients.
_LIMITED = """
            limit_conn in_flight {limit};
            limit_conn_status 429;
            limit_conn_log_level info;"""


@dataclass(frozen=True, slots=True)
class Route:
    """A replica that the balancer may send calls to."""

    replica: str
    address: str  # host:port inside the run's network


def configuration(
    routes: Sequence[Route], generation: int, settings: Balancer, fleet: int = 0
) -> str:
    """nginx.conf for these routes. /generation answers ``generation`` once it is in force.

    ``fleet`` is the number of replicas that there are meant to be.
    """
    share = settings.max_in_flight_per_replica
    # The bulkhead: what a frozen replica can hold up of the fleet's limit.
    bulkhead = f" max_conns={_BULKHEAD * share}" if share else ""
    ejection = f"max_fails={settings.max_fails} fail_timeout={settings.fail_timeout_s}s"
    servers = "\n".join(
        f"        server {route.address} {ejection}{bulkhead};  # {route.replica}"
        for route in routes
    )
    # The zone's name changes with each generation: workers of two generations live side by side
    # for a while, and must not share the round robin of different lists.
    upstream = (
        f"upstream replicas {{\n        zone replicas_{generation} 256k;\n{servers}\n"
        "        keepalive 64;\n    }"
    )
    # What is left of a fleet may take on all that the fleet may: to refuse is not its first duty.
    limit = share * max(len(routes), fleet) if routes else 0
    forward = f"""grpc_pass grpc://replicas;
            grpc_connect_timeout {_ms(settings.connect_timeout_s)};
            grpc_send_timeout {_ms(settings.read_timeout_s)};
            grpc_read_timeout {_ms(settings.read_timeout_s)};
            grpc_next_upstream error timeout;{_LIMITED.format(limit=limit) if limit else ""}"""
    return _CONFIGURATION.format(
        log_format=_LOG_FORMAT,
        log=LOG,
        upstream=upstream if servers else "",
        forward=forward if servers else "return 503;",
        port=PORT,
        status_port=STATUS_PORT,
        generation=generation,
    )


def rules(settings: Balancer) -> str:
    """When it leaves a replica out, and what it refuses, in words."""
    fails, out_s = settings.max_fails, settings.fail_timeout_s
    ejection = f"leaves a replica out for {out_s} s after {fails} failed call{'s' * (fails != 1)}"
    share = settings.max_in_flight_per_replica
    return "; ".join(
        (
            ejection if fails else "leaves no replica out that is ready",
            f"gives up on one after {settings.read_timeout_s:g} s",
            f"{share} calls in flight a replica" if share else "any number of calls in flight",
        )
    )


def in_flight(status: bytes) -> int:
    """How many calls are under way, from the answer of /status: "Writing", less the asker's own.

    Raises ValueError where the answer is something else.
    """
    words = status.decode("ascii", "replace").split()
    if "Writing:" not in words:
        raise ValueError(f"expected nginx's status with a word 'Writing:', found {status[:80]!r}")
    return max(int(words[words.index("Writing:") + 1]) - 1, 0)


def _ms(seconds: float) -> str:
    return f"{round(seconds * 1000)}ms"


def routes_detail(routes: Iterable[Route]) -> Mapping[str, Value]:
    """What the event ``balancer.routes`` says."""
    ordered = sorted(routes, key=lambda route: route.replica)
    return {
        "replicas": ",".join(route.replica for route in ordered),
        "addresses": ",".join(route.address for route in ordered),
    }


class _Line(msgspec.Struct, frozen=True):
    """One line of the access log, as the log format above writes it."""

    id: str
    attempt: str
    at: float
    took: float
    http: int
    grpc: str
    upstream: str
    upstream_status: str
    upstream_took: str


def access_log(lines: Iterable[bytes], wall_minus_monotonic_s: float) -> Table:
    """The access log as a table on the monotonic clock. Lines of other kinds are passed over."""
    decoder = msgspec.json.Decoder(_Line)
    rows = []
    for line in lines:
        if not line.startswith(b'{"id"'):
            continue
        try:
            entry = decoder.decode(line)
        except msgspec.DecodeError:  # the last line of a killed nginx may be cut short
            continue
        rows.append(
            (
                entry.id.encode("ascii", "replace"),
                min(int(entry.attempt), _ATTEMPT_LIMIT) if entry.attempt.isdigit() else 0,
                entry.at - wall_minus_monotonic_s,
                entry.took,
                entry.http,
                int(entry.grpc) if entry.grpc.isdigit() else -1,
                entry.upstream,
                entry.upstream_status,
                _last_number(entry.upstream_took),
            )
        )
    return table(ACCESS, rows)


def written_since(lines: Sequence[bytes], at_s: float) -> Sequence[bytes]:
    """The lines of an access log from an instant of the wall clock on; nginx writes them in order.

    A line that cannot be read counts as written before.
    """
    decoder = msgspec.json.Decoder(_Line)

    def at(line: bytes) -> float:
        try:
            return decoder.decode(line).at
        except msgspec.DecodeError:
            return -math.inf

    return lines[bisect_left(lines, at_s, key=at) :]


def _last_number(times: str) -> float:
    last = times.replace(":", ",").split(",")[-1].strip()
    try:
        return float(last)
    except ValueError:
        return float("nan")
