"""All proxies of the process, and what the API does to them."""

import random

from . import addresses, fields
from .addresses import Resolver
from .errors import BAD_BODY, MISSING_FIELD, PROXY_EXISTS, PROXY_NOT_FOUND, ApiError
from .loop import Loop
from .proxies import Proxy
from .toxic import Toxic

_MOST_PROXIES = 256

Json = dict[str, object]


class Collection:
    """Each method is one request, done whole in the loop's thread or refused with an ApiError."""

    def __init__(self, loop: Loop, rng: random.Random) -> None:
        self._loop, self._random, self._resolver = loop, rng, Resolver(loop)
        self._proxies: dict[str, Proxy] = {}

    def index(self) -> Json:
        """All proxies by name."""
        return {name: proxy.as_json() for name, proxy in self._proxies.items()}

    def show(self, name: str) -> Json:
        """One proxy."""
        return self._get(name).as_json()

    def create(self, body: object) -> Json:
        """A new proxy."""
        name, listen, upstream, enabled = _described(body, "")
        if name in self._proxies:
            raise PROXY_EXISTS
        return self._add(name, listen, upstream, enabled=enabled).as_json()

    def update(self, name: str, body: object) -> Json:
        """Change where it listens, what is upstream, or whether it is enabled.

        Existing connections are reset if one of the first two changes.
        """
        proxy = self._get(name)
        given = fields.an_object(body, "a proxy")
        listen = fields.text(given, "listen", proxy.listen)
        upstream = fields.text(given, "upstream", proxy.upstream)
        enabled = fields.flag(given, "enabled", proxy.enabled)
        addresses.parse(upstream, "upstream")
        if not addresses.same(listen, proxy.listen):
            proxy.move(listen)
        if upstream != proxy.upstream:
            proxy.upstream = upstream
            proxy.reset_connections()
        if enabled:
            proxy.enable()
        else:
            proxy.disable()
        return proxy.as_json()

    def delete(self, name: str) -> None:
        """Remove a proxy; its connections are reset."""
        self._get(name).disable()
        del self._proxies[name]

    def populate(self, body: object) -> Json:
        """Create or replace proxies; one that is there with the same addresses stays."""
        if not isinstance(body, list):
            raise BAD_BODY.because("expected a list of proxies")
        wanted = [_described(each, f" at proxy {i + 1}") for i, each in enumerate(body)]
        names = [name for name, *_ in wanted]
        if len(set(names)) < len(names):
            raise BAD_BODY.because(f"each name may be there once, got {names}")
        return {"proxies": [self._settle(*each).as_json() for each in wanted]}

    def _settle(self, name: str, listen: str, upstream: str, enabled: bool) -> Proxy:
        proxy = self._proxies.get(name)
        if proxy and proxy.upstream == upstream and addresses.same(listen, proxy.listen):
            self.update(name, {"enabled": enabled})
            return proxy
        if proxy:
            self.delete(name)
        return self._add(name, listen, upstream, enabled=enabled)

    def _add(self, name: str, listen: str, upstream: str, *, enabled: bool) -> Proxy:
        if len(self._proxies) >= _MOST_PROXIES:
            raise ApiError(f"there are {_MOST_PROXIES} proxies already; delete one first", 409)
        proxy = Proxy(name, listen, upstream, self._loop, self._random, self._resolver)
        if enabled:
            proxy.enable()
        self._proxies[name] = proxy
        return proxy

    def reset(self) -> None:
        """Enable all proxies and remove all toxics; each is tried, the first error is told."""
        errors = []
        for proxy in self._proxies.values():
            try:
                proxy.restore()
            except ApiError as error:
                errors.append(error)
        if errors:
            raise errors[0]

    def toxics(self, name: str) -> list[Json]:
        """The toxics of a proxy."""
        return [toxic.as_json() for toxic in self._get(name).toxics]

    def toxic(self, name: str, toxic: str) -> Json:
        """One toxic of a proxy."""
        return self._get(name).toxic(toxic).as_json()

    def add_toxic(self, name: str, body: object) -> Json:
        """A new toxic on a proxy; it acts when this returns."""
        proxy, toxic = self._get(name), Toxic.read(body)
        proxy.add(toxic)
        return toxic.as_json()

    def change_toxic(self, name: str, toxic: str, body: object) -> Json:
        """Other settings of a toxic."""
        proxy = self._get(name)
        changed = proxy.toxic(toxic)
        proxy.change(changed, body)
        return changed.as_json()

    def remove_toxic(self, name: str, toxic: str) -> None:
        """Stop a toxic; it acts no more when this returns."""
        proxy = self._get(name)
        proxy.remove(proxy.toxic(toxic))

    def _get(self, name: str) -> Proxy:
        if name not in self._proxies:
            raise PROXY_NOT_FOUND
        return self._proxies[name]


def _described(body: object, where: str) -> tuple[str, str, str, bool]:
    given = fields.an_object(body, "a proxy")
    name = fields.text(given, "name", "")
    listen, upstream = fields.text(given, "listen", ""), fields.text(given, "upstream", "")
    for field, value in (("name", name), ("upstream", upstream)):
        if not value:
            raise MISSING_FIELD.because(field + where)
    addresses.parse(upstream, "upstream")
    if listen:
        addresses.parse(listen, "listen")
    return name, listen, upstream, fields.flag(given, "enabled", default=True)
