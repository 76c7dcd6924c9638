"""Answers a probe with bytes that are neither gRPC nor HTTP; with no bytes at all: it hangs up."""

import socket
import socketserver
import threading

from harness.surfaces import Way

_LOOPBACK = "127.0.0.1"
_TIMEOUT_S = 5.0


class Babbler(socketserver.ThreadingTCPServer):
    """Answers whatever comes with the same bytes and closes the connection."""

    daemon_threads = True

    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        super().__init__((_LOOPBACK, 0), socketserver.BaseRequestHandler)
        address = f"{_LOOPBACK}:{self.server_address[1]}"
        self.way = Way(address, address)
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def finish_request(self, request: object, _address: object) -> None:
        """Hear the question, then answer it badly."""
        assert isinstance(request, socket.socket)
        request.settimeout(_TIMEOUT_S)
        request.recv(4096)
        request.sendall(self._answer)

    def handle_error(self, _request: object, _address: object) -> None:
        """Whoever hangs up first has heard enough."""

    def close(self) -> None:
        """Listen no more."""
        self.shutdown()
        self._thread.join()
        self.server_close()
