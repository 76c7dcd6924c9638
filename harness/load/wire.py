"""How a request reaches the service: here by grpc.aio; ``harness.load.http2`` is the fast way."""

import asyncio
import socket
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Protocol, Self

import grpc

from harness.errors import LoadError
from harness.load.oip import METHOD

CANCELLED: int = grpc.StatusCode.CANCELLED.value[0]
_UNKNOWN: int = grpc.StatusCode.UNKNOWN.value[0]

_OPTIONS = (
    ("grpc.enable_retries", 0),  # the harness retries, so that each attempt is seen
    ("grpc.enable_http_proxy", 0),  # load goes where the plan says, whatever http_proxy says
    ("grpc.use_local_subchannel_pool", 1),  # a connection and a back-off of its own
    # A caller that finds its service again soon after a restart; the defaults are 1, 20 and 120 s.
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.min_reconnect_backoff_ms", 50),
    ("grpc.max_reconnect_backoff_ms", 250),
    ("grpc.max_send_message_length", -1),  # how large a message may be is the service's choice
    ("grpc.max_receive_message_length", -1),
)


@dataclass(frozen=True, slots=True)
class Reply:
    """How one attempt ended; ``body`` is None unless the status is 0."""

    status: int
    detail: str
    body: bytes | None


class Wire(Protocol):
    """One connection to the service."""

    def send(
        self, body: bytes, request_id: str, attempt: int, timeout_s: float
    ) -> Awaitable[Reply]:
        """Hand an attempt over at once; what is returned gives its outcome and never raises."""
        ...

    async def close(self) -> None:
        """Drop the connection, and with it what is still in flight."""
        ...


class GrpcWire:
    """One grpc.aio channel; message bytes go through untouched."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._channel = channel
        self._call = channel.unary_unary(METHOD, None, None)

    @classmethod
    async def connect(cls, address: str, timeout_s: float) -> Self:
        """Open a connected channel. Raises LoadError if there is none in time."""
        channel = grpc.aio.insecure_channel(address, options=_OPTIONS)
        try:
            async with asyncio.timeout(timeout_s):
                await channel.channel_ready()
        except TimeoutError:
            await channel.close(None)
            raise unreachable(address, timeout_s) from None
        return cls(channel)

    def send(
        self, body: bytes, request_id: str, attempt: int, timeout_s: float
    ) -> Awaitable[Reply]:
        """Hand an attempt over at once; what is returned gives its outcome and never raises."""
        metadata = (("x-request-id", request_id), ("x-mayfly-attempt", str(attempt)))
        call = self._call(body, timeout=timeout_s, metadata=metadata, wait_for_ready=False)
        return _outcome(call)

    async def close(self) -> None:
        """Drop the connection, and with it what is still in flight."""
        await self._channel.close(None)


async def _outcome(call: grpc.aio.UnaryUnaryCall[bytes, bytes]) -> Reply:
    try:
        return Reply(0, "", await call)
    except grpc.aio.AioRpcError as error:
        return Reply(error.code().value[0], error.details() or "", None)
    except grpc.aio.BaseError as error:  # grpc's own defects are a failed attempt, not our end
        return Reply(_UNKNOWN, f"{type(error).__name__}: {error}", None)


def unreachable(address: str, timeout_s: float) -> LoadError:
    """Say that there was no connection in time, and why."""
    return LoadError(f"no gRPC connection to {address} within {timeout_s:g} s: {_why(address)}")


def _why(address: str) -> str:
    """Ask by a plain TCP connection, because gRPC says only that it is not ready."""
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=1.0):
            return "something listens there, but it does not answer as a gRPC server"
    except ConnectionRefusedError:
        return "nobody listens there; start the service first, or correct the address"
    except OSError as error:
        return f"it cannot be reached ({error}); correct the address, or look at the network"
