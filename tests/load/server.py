"""A real gRPC server for the load tests, a script of its own: ``server.py GOLDEN.npz [PORT]``.

It writes the golden file if there is none, prints its port, and does what the lines on its stdin
say: a behaviour's name, ``stall SECONDS``, or ``count`` (prints requests and attempts seen).
"""

import asyncio
import sys
import time
from pathlib import Path

import grpc
import numpy as np
from open_inference.grpc.protocol import ModelInferRequest, ModelInferResponse

CASES, WIDTH = 7, 3072
ERRORS = {
    "unavailable": grpc.StatusCode.UNAVAILABLE,
    "invalid": grpc.StatusCode.INVALID_ARGUMENT,
}


class Service:
    """Answers ModelInfer as it was last told to."""

    def __init__(self, golden: Path) -> None:
        with np.load(golden) as arrays:
            inputs, self.probabilities = arrays["input.image"], arrays["output.probabilities"]
        self.cases = {row.tobytes(): index for index, row in enumerate(inputs)}
        self.behaviour = "golden"
        self.requests = 0
        self.attempts = 0

    async def infer(self, body: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
        """Serve ModelInfer."""
        metadata = {str(key): value for key, value in context.invocation_metadata() or ()}
        first = metadata["x-mayfly-attempt"] == "1"
        self.requests += first
        self.attempts += 1
        if self.behaviour in ERRORS:
            await context.abort(ERRORS[self.behaviour], f"{self.behaviour}, as told")
        if self.behaviour == "flaky" and first:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "the first attempt")
        if self.behaviour == "silent":
            await asyncio.sleep(60)
        if self.behaviour == "garbage":
            return b"\xff\xff\xff garbage"
        request = ModelInferRequest.FromString(body)
        assert request.id == metadata["x-request-id"]
        return self.answer(request).SerializeToString()

    def answer(self, request: ModelInferRequest) -> ModelInferResponse:
        """Answer with the golden row, all but exactly."""
        row = self.probabilities[self.cases[request.raw_input_contents[0]]]
        response = ModelInferResponse(model_name=request.model_name, model_version="3")
        response.id = request.id
        response.parameters["model_digest"].string_param = "0123456789abcdef0123456789abcdef"
        response.parameters["replica"].string_param = "replica-1"
        response.outputs.add(name="probabilities", datatype="FP32", shape=[1, len(row)])
        wrong = np.float32(0.01 if self.behaviour == "wrong" else 1e-7)
        if self.behaviour == "typed":
            response.outputs[0].contents.fp32_contents.extend((row + wrong).tolist())
        else:
            response.raw_output_contents.append((row + wrong).tobytes())
        return response

    def obey(self, text: str) -> None:
        """Do what a line on stdin says."""
        if text == "count":
            print(self.requests, self.attempts, flush=True)
            return
        if text.startswith("stall "):
            time.sleep(float(text.split()[1]))  # the whole server stands still: that is the point
        else:
            self.behaviour = text
        print("done", flush=True)


async def serve(golden: Path, port: int) -> None:
    """Serve until stdin ends."""
    service = Service(golden)
    server = grpc.aio.server()
    method = grpc.unary_unary_rpc_method_handler(service.infer)
    name = "inference.GRPCInferenceService"
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(name, {"ModelInfer": method}),)
    )
    print(server.add_insecure_port(f"127.0.0.1:{port}"), flush=True)
    await server.start()
    loop, ended = asyncio.get_running_loop(), asyncio.Event()

    def hear() -> None:
        text = sys.stdin.readline().strip()
        service.obey(text) if text else ended.set()

    loop.add_reader(0, hear)
    await ended.wait()
    loop.remove_reader(0)
    await server.stop(0)


def write_golden(path: Path) -> None:
    """Make cases with an input of 12 KB and ten probabilities each."""
    random = np.random.default_rng(1)
    images = random.random((CASES, WIDTH), dtype=np.float32)
    odds = random.random((CASES, 10), dtype=np.float32)
    probabilities = odds / odds.sum(axis=1, keepdims=True)
    labels = np.arange(CASES)
    outputs = {"output.probabilities": probabilities}
    np.savez(path, allow_pickle=False, label=labels, **{"input.image": images}, **outputs)


if __name__ == "__main__":
    file = Path(sys.argv[1])
    if not file.exists():
        write_golden(file)
    asyncio.run(serve(file, int(sys.argv[2]) if len(sys.argv) > 2 else 0))
