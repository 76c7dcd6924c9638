"""A real grpc.aio server in the test's own event loop, that does what a request's body says."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc

from harness.load.oip import METHOD

_, SERVICE, NAME = METHOD.split("/")


class Echo:
    """Answers with the request's body, unless it begins with ``abort``, ``sleep`` or ``raise``."""

    def __init__(self) -> None:
        self.metadata: dict[str, str | bytes] = {}
        self.left_s: float | None = None  # of the last request, when it came in
        self.cancelled = asyncio.Event()

    async def answer(self, body: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
        """Serve ModelInfer."""
        self.metadata = {str(key): value for key, value in context.invocation_metadata() or ()}
        self.left_s = context.time_remaining()
        told, _, rest = body.partition(b" ")
        if told == b"abort":
            code, _, text = rest.partition(b" ")
            await context.abort(grpc.StatusCode[code.decode()], text.decode())
        if told == b"raise":
            raise ValueError(rest.decode())
        if told == b"sleep":
            try:
                await asyncio.sleep(float(rest))
            except asyncio.CancelledError:
                self.cancelled.set()
                raise
        return body


@asynccontextmanager
async def serving(
    echo: Echo | None, port: int = 0, options: tuple[tuple[str, int], ...] = ()
) -> AsyncIterator[tuple[grpc.aio.Server, str]]:
    """Serve ModelInfer, or (None) nothing at all."""
    server = grpc.aio.server(options=options)
    if echo is not None:
        method = grpc.unary_unary_rpc_method_handler(echo.answer)
        handlers = grpc.method_handlers_generic_handler(SERVICE, {NAME: method})
        server.add_generic_rpc_handlers((handlers,))
    bound = server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    try:
        yield server, f"127.0.0.1:{bound}"
    finally:
        await server.stop(0)
