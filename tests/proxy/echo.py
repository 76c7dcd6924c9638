"""An upstream that echoes."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.proxy.program import Route


@contextmanager
def echoing(route: Route) -> Iterator[None]:
    """The upstream echoes every connection, until each is closed by its client."""
    echoes: list[threading.Thread] = []

    def echo(sock: socket.socket) -> None:
        with sock:
            while data := sock.recv(65536):
                sock.sendall(data)

    def accept() -> None:
        while True:
            try:
                sock, _ = route.upstream.accept()
            except OSError:
                return
            echoes.append(threading.Thread(target=echo, args=(sock,)))
            echoes[-1].start()

    acceptor = threading.Thread(target=accept)
    acceptor.start()
    yield
    route.upstream.shutdown(socket.SHUT_RD)
    for thread in (acceptor, *echoes):
        thread.join()
