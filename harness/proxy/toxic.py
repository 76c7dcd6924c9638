"""A toxic as the API knows it: a kind of disturbance with a name, a direction and a probability."""

import random
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from . import fields
from .errors import BAD_BODY, BAD_STREAM, BAD_TOXIC_TYPE, MISSING_FIELD
from .stage import Kind
from .toxics import BY_NAME

_STREAMS = ("upstream", "downstream")
_PER = ("connection", "chunk")


class Toxic:
    """Belongs to one proxy. Its settings may change while it acts.

    ``per`` (ours): whether ``toxicity`` is drawn once a connection, as Toxiproxy does, or for
    each chunk that passes.
    """

    def __init__(self, name: str, type_name: str, stream: str, kind: Kind) -> None:
        self.name, self.type_name, self.stream, self.kind = name, type_name, stream, kind
        self.toxicity = 1.0
        self.per = "connection"
        self.touched = 0
        self.newest = 0  # number of the last connection that was there before it

    @classmethod
    def read(cls, body: object) -> "Toxic":
        """The toxic that a POST asks for. Raises ApiError."""
        given = fields.an_object(body, "a toxic")
        stream = fields.text(given, "stream", "") or "downstream"
        type_name = fields.text(given, "type", "")
        if stream not in _STREAMS:
            raise BAD_STREAM
        if not type_name:
            raise MISSING_FIELD.because("type")
        if type_name not in BY_NAME:
            raise BAD_TOXIC_TYPE.because(f"{type_name!r}, expected one of {sorted(BY_NAME)}")
        kind = fields.attributes(BY_NAME[type_name], given.get("attributes"), None)
        name = fields.text(given, "name", "") or f"{type_name}_{stream}"
        toxic = cls(name, type_name, stream, kind)
        toxic.toxicity, toxic.per = toxic.draw_as(given)
        return toxic

    def changed(self, body: object) -> tuple[Kind, float, str]:
        """Kind, toxicity and per as a PATCH asks for them; changes nothing. Raises ApiError."""
        given = fields.an_object(body, "a toxic")
        kind = fields.attributes(BY_NAME[self.type_name], given.get("attributes"), self.kind)
        return kind, *self.draw_as(given)

    def draw_as(self, given: Mapping[str, object]) -> tuple[float, str]:
        """Toxicity and per as given, else as they are. Raises ApiError."""
        per = fields.text(given, "per", self.per)
        if per not in _PER:
            raise BAD_BODY.because(f"per has to be one of {_PER}, not {per!r}")
        if per == "chunk" and not getattr(self.kind, "strikes_chunks", True):
            raise BAD_BODY.because(f"{self.type_name} strikes connections, so per has no 'chunk'")
        return fields.share(given, "toxicity", self.toxicity), per

    @property
    def allowance_bytes(self) -> int:
        """How much more a link may hold back than without it."""
        return int(getattr(self.kind, "allowance_bytes", 0))

    @property
    def only_existing(self) -> bool:
        """Whether it spares the connections that come after it."""
        return bool(getattr(self.kind, "only_existing", False))

    def strikes_connection(self, rng: random.Random) -> bool:
        """Draw whether it acts on a connection."""
        return self.per == "chunk" or rng.random() < self.toxicity

    def strikes_chunk(self, rng: random.Random) -> bool:
        """Draw whether it acts on a chunk of a connection that it acts on."""
        return self.per == "connection" or rng.random() < self.toxicity

    def touch(self) -> None:
        """Count what met it."""
        self.touched += 1

    def as_json(self) -> dict[str, object]:
        """Toxiproxy's fields, and ours: ``per`` and ``mayfly``."""
        kind: Any = self.kind  # each kind is a dataclass, which no protocol can say
        return {
            "attributes": asdict(kind),
            "name": self.name,
            "type": self.type_name,
            "stream": self.stream,
            "toxicity": self.toxicity,
            "per": self.per,
            "mayfly": {"touched": self.touched},
        }
