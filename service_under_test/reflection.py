"""grpc.reflection.v1alpha: tells callers what is served, from the descriptors that we have anyway.

The servicer of grpcio-reflection is not used: it needs all of grpcio, which is not served with.
"""

from collections.abc import AsyncIterator, Iterator
from typing import TypeAlias

from google.protobuf import descriptor_pool
from google.protobuf.descriptor import FileDescriptor
from grpc_reflection.v1alpha import reflection_pb2

from service_under_test.refusal import Code
from service_under_test.wire.calls import Routes, Streaming

SERVICE = "grpc.reflection.v1alpha.ServerReflection"

Request: TypeAlias = reflection_pb2.ServerReflectionRequest
Response: TypeAlias = reflection_pb2.ServerReflectionResponse


class Reflection:
    """Answers questions about the named services and their messages."""

    def __init__(self, services: tuple[str, ...]) -> None:
        self._services = services

    def routes(self) -> Routes:
        """Bind the one call to its name."""
        return {f"/{SERVICE}/ServerReflectionInfo".encode(): Streaming(self._talk)}

    async def _talk(self, incoming: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for received in incoming:
            request = Request.FromString(received)
            response = self._answer(request)
            response.original_request.CopyFrom(request)
            yield response.SerializeToString()

    def _answer(self, request: Request) -> Response:
        pool = descriptor_pool.Default()
        try:
            match request.WhichOneof("message_request"):
                case "list_services":
                    return self._list()
                case "file_by_filename":
                    return _describe(pool.FindFileByName(request.file_by_filename))
                case "file_containing_symbol":
                    symbol = request.file_containing_symbol
                    return _describe(pool.FindFileContainingSymbol(symbol))
        except KeyError:
            return _error(Code.NOT_FOUND, "expected a name that list_services tells")
        return _error(Code.UNIMPLEMENTED, "expected a question about services, files or symbols")

    def _list(self) -> Response:
        response = Response()
        for name in self._services:
            response.list_services_response.service.add(name=name)
        return response


def _describe(file: FileDescriptor) -> Response:
    response = Response()
    seen: set[str] = set()
    for each in _with_dependencies(file, seen):
        response.file_descriptor_response.file_descriptor_proto.append(each.serialized_pb)
    return response


def _with_dependencies(file: FileDescriptor, seen: set[str]) -> Iterator[FileDescriptor]:
    if file.name not in seen:
        seen.add(file.name)
        yield file
        for needed in file.dependencies:
            yield from _with_dependencies(needed, seen)


def _error(code: Code, message: str) -> Response:
    response = Response()
    response.error_response.error_code = int(code)
    response.error_response.error_message = message
    return response
