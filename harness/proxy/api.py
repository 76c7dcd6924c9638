"""What is asked for: method and path to a method of the collection. Toxiproxy's HTTP API 2.x."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from urllib.parse import unquote

from . import API_VERSION, VERSION
from .collection import Collection
from .errors import BAD_BODY, ApiError
from .lease import Lease
from .loop import Loop
from .toxics import BY_NAME

_ANSWER_S = 10.0  # within which the loop comes to a request
_UPDATES = ("POST", "PATCH")

Route = tuple[tuple[str, ...], int, Callable[..., object]]


@dataclass(frozen=True, slots=True)
class Response:
    """Status and JSON body; None for no body."""

    status: int
    body: object


class Api:
    """Called by the threads of the HTTP server."""

    def __init__(self, collection: Collection, lease: Lease, loop: Loop) -> None:
        self._collection, self._lease, self._loop = collection, lease, loop

    def handle(self, method: str, path: str, body: bytes) -> Response:
        """Do what is asked; an error is a response too."""
        self._lease.renew()
        try:
            status, request = self._route(method, path, body)
            return Response(status, self._loop.ask(request, _ANSWER_S))
        except ApiError as error:
            return refusal(error)
        except TimeoutError:
            return refusal(ApiError(f"not done within {_ANSWER_S} s; ask again", 503))

    def _route(self, method: str, path: str, body: bytes) -> tuple[int, Callable[[], object]]:
        """The status of success, and the call that is to be made by the loop."""
        parts = [unquote(part) for part in path.partition("?")[0].strip("/").split("/")]
        routes = self._routes(parts)
        if not routes:
            raise ApiError(f"no such path: {path[:80]!r}", 404)
        for methods, status, call in routes:
            if method in methods:
                takes_body = method in _UPDATES and parts != ["reset"]
                return status, partial(call, _decoded(body)) if takes_body else call
        raise ApiError(f"{method} is not allowed on {path[:80]!r}", 405)

    def _routes(self, parts: list[str]) -> list[Route]:
        """What a path allows: methods, status of success, and whom to call."""
        proxies, routes = self._collection, list[Route]()
        match parts:
            case ["version"]:
                routes = [(("GET",), 200, self._version)]
            case ["reset"]:
                routes = [(("POST",), 204, proxies.reset)]
            case ["populate"]:
                routes = [(("POST",), 201, proxies.populate)]
            case ["proxies"]:
                routes = [(("GET",), 200, proxies.index), (("POST",), 201, proxies.create)]
            case ["proxies", proxy]:
                routes = [
                    (("GET",), 200, partial(proxies.show, proxy)),
                    (_UPDATES, 200, partial(proxies.update, proxy)),
                    (("DELETE",), 204, partial(proxies.delete, proxy)),
                ]
            case ["proxies", proxy, "toxics"]:
                routes = [
                    (("GET",), 200, partial(proxies.toxics, proxy)),
                    (("POST",), 200, partial(proxies.add_toxic, proxy)),
                ]
            case ["proxies", proxy, "toxics", toxic]:
                routes = [
                    (("GET",), 200, partial(proxies.toxic, proxy, toxic)),
                    (_UPDATES, 200, partial(proxies.change_toxic, proxy, toxic)),
                    (("DELETE",), 204, partial(proxies.remove_toxic, proxy, toxic)),
                ]
        return routes

    def _version(self) -> object:
        mayfly = {"version": VERSION, "lease_s": self._lease.lease_s, "toxics": sorted(BY_NAME)}
        return {"version": API_VERSION, "mayfly": mayfly}


def refusal(error: ApiError) -> Response:
    """An error as Toxiproxy words it."""
    return Response(error.status, {"error": error.message, "status": error.status})


def _decoded(body: bytes) -> object:
    try:
        value: object = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BAD_BODY.because(error) from error
    return value
