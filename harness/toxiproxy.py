"""A client of Toxiproxy's HTTP API (2.x), which Mayfly's own proxy speaks as well.

What only Mayfly's proxy knows (the toxics ``corrupt`` and ``half_open``, drawing per chunk, the
counters) a real Toxiproxy refuses or leaves out: the one is an error that says so, the other None.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal, TypeAlias, TypeVar
from urllib.parse import quote

import httpx
import msgspec

from harness.errors import FaultError

Attributes: TypeAlias = Mapping[str, int | float | str]
Stream: TypeAlias = Literal["upstream", "downstream"]  # towards the server, towards the client

Form = TypeVar("Form")

_TIMEOUT_S = 2.0


class Toxic(msgspec.Struct, frozen=True):
    """One rule of a proxy."""

    name: str
    type: str
    stream: str
    toxicity: float = 1.0
    attributes: dict[str, object] = {}
    mayfly: dict[str, object] | None = None

    @property
    def touched(self) -> int | None:
        """How many chunks or connections it has acted on; None at a proxy that does not count."""
        count = None if self.mayfly is None else self.mayfly.get("touched")
        return count if isinstance(count, int) else None


class Proxy(msgspec.Struct, frozen=True):
    """One proxied path, with its rules and what it counted."""

    name: str
    listen: str
    upstream: str
    enabled: bool
    toxics: list[Toxic] = []
    mayfly: dict[str, object] | None = None

    @property
    def connections(self) -> int | None:
        """How many are open; None at a proxy that does not count."""
        count = None if self.mayfly is None else self.mayfly.get("connections_open")
        return count if isinstance(count, int) else None

    def rules(self) -> str:
        """What is in force, in one line; empty where it passes everything on unharmed."""
        toxics = sorted(f"{each.name} {each.attributes}" for each in self.toxics)
        return "; ".join([*([] if self.enabled else ["disabled"]), *toxics])


@dataclass(frozen=True, slots=True)
class NewToxic:
    """A rule to be made. ``toxicity``: the share of what it may act on, from 0 to 1.

    ``per``: whether that share is drawn once for a connection, or anew for each chunk.
    """

    name: str
    type: str
    stream: Stream
    toxicity: float
    attributes: Attributes
    per: Literal["connection", "chunk"] = "connection"

    def document(self) -> dict[str, object]:
        """As the API wants it; ``per`` is left out where it says what Toxiproxy does anyway."""
        plain: dict[str, object] = {
            "name": self.name,
            "type": self.type,
            "stream": self.stream,
            "toxicity": self.toxicity,
            "attributes": dict(self.attributes),
        }
        return plain if self.per == "connection" else {**plain, "per": self.per}


class Toxiproxy:
    """One running proxy program. Every method raises FaultError where it does not obey."""

    def __init__(self, url: str, timeout_s: float = _TIMEOUT_S) -> None:
        self.url = url
        # A proxy of the user's own network has no part in what goes to 127.0.0.1.
        self._http = httpx.Client(base_url=url, timeout=timeout_s, trust_env=False)

    def close(self) -> None:
        """Drop the connections to it."""
        self._http.close()

    def version(self) -> str:
        """What it says of itself."""
        try:
            return msgspec.json.decode(self._ask("GET", "/version"), type=dict[str, str])["version"]
        except (msgspec.DecodeError, KeyError):
            return "unknown"

    def populate(self, paths: Sequence[tuple[str, str, str]]) -> None:
        """Make these proxies: name, where it listens, where it passes on to (host:port)."""
        proxies = [
            {"name": name, "listen": listen, "upstream": upstream, "enabled": True}
            for name, listen, upstream in paths
        ]
        self._ask("POST", "/populate", proxies)

    def proxies(self) -> Mapping[str, Proxy]:
        """All of them by name."""
        return _decode(self._ask("GET", "/proxies"), dict[str, Proxy], self.url)

    def proxy(self, name: str) -> Proxy:
        """One of them."""
        return _decode(self._ask("GET", _path(name)), Proxy, self.url)

    def add(self, proxy: str, toxic: NewToxic) -> Toxic:
        """Put a rule in force."""
        answer = self._ask("POST", f"{_path(proxy)}/toxics", toxic.document())
        made = _decode(answer, Toxic, self.url)
        if toxic.per == "chunk" and b'"per"' not in answer:
            self.remove(proxy, toxic.name)
            raise FaultError(
                f"expected that {self.url} draws the share of {toxic.type!r} anew for each chunk, "
                "but it draws once for a connection, as Toxiproxy does; use Mayfly's own proxy, or "
                "per='connection'"
            )
        return made

    def remove(self, proxy: str, toxic: str) -> None:
        """Take a rule back. One that is already gone is no error: its lease may have run out."""
        self._ask("DELETE", f"{_path(proxy)}/toxics/{quote(toxic, safe='')}", allow_missing=True)

    def enable(self, proxy: str, *, enabled: bool) -> None:
        """Let it listen, or refuse connections and end those that are open."""
        self._ask("POST", _path(proxy), {"enabled": enabled})

    def reset(self, proxy: str | None = None) -> None:
        """Take all rules back and enable: one proxy, or all that there are."""
        if proxy is None:
            self._ask("POST", "/reset", {})
            return
        state = self.proxy(proxy)
        if not state.enabled:
            self.enable(proxy, enabled=True)
        for toxic in state.toxics:
            self.remove(proxy, toxic.name)

    def _ask(
        self, method: str, path: str, body: object = None, *, allow_missing: bool = False
    ) -> bytes:
        content = None if body is None else msgspec.json.encode(body)
        headers = {} if content is None else {"Content-Type": "application/json"}
        try:
            answer = self._http.request(method, path, content=content, headers=headers)
        except httpx.HTTPError as error:
            raise FaultError(
                f"expected the proxy's control API at {self.url} to answer {method} {path}, seen: "
                f"{type(error).__name__}; see whether its container runs, and what it logged"
            ) from error
        missing = allow_missing and answer.status_code == HTTPStatus.NOT_FOUND
        if answer.is_success or missing:
            return answer.content
        raise FaultError(_refusal(self.url, method, path, body, answer))


def _path(proxy: str) -> str:
    return f"/proxies/{quote(proxy, safe='')}"


def _decode(content: bytes, kind: type[Form], url: str) -> Form:
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise FaultError(
            f"expected an answer in Toxiproxy's form from {url}, seen: {content[:120]!r} "
            f"({error}); see what listens there"
        ) from error


def _refusal(url: str, method: str, path: str, body: object, answer: httpx.Response) -> str:
    told = _told(answer)
    if answer.status_code == HTTPStatus.BAD_REQUEST and "invalid toxic type" in told:
        kind = body.get("type") if isinstance(body, dict) else None
        return (
            f"expected a proxy that knows the toxic {kind!r}, but the one at {url} does not "
            f"({told}); Toxiproxy has no such toxic: use Mayfly's own proxy, or another fault"
        )
    return (
        f"expected {url} to carry out {method} {path}, seen: status {answer.status_code}, {told}; "
        "see the proxy's log"
    )


def _told(answer: httpx.Response) -> str:
    try:
        document = msgspec.json.decode(answer.content)
    except msgspec.DecodeError:
        return answer.text[:200].strip()
    return str(document.get("error", document)) if isinstance(document, dict) else str(document)
