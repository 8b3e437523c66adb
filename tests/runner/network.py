"""Servers on loopback that forward to PostgreSQL or imitate it."""

from __future__ import annotations

import socket
import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


def free_port() -> int:
    """Return an unused port of loopback."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Server(socketserver.ThreadingTCPServer):
    """A server with one thread per connection."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False


@contextmanager
def serve(handler: type[socketserver.BaseRequestHandler], port: int = 0) -> Iterator[int]:
    """Serve connections and yield the port."""
    with Server(("127.0.0.1", port), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield int(server.server_address[1])
        finally:
            server.shutdown()


@contextmanager
def forward(port: int, target: tuple[str, int]) -> Iterator[int]:
    """Forward connections from a port to a server, and yield the port."""

    class Forward(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with socket.create_connection(target) as upstream:
                back = threading.Thread(target=copy, args=(upstream, self.request), daemon=True)
                back.start()
                copy(self.request, upstream)
                back.join()

    with serve(Forward, port) as listening:
        yield listening


def copy(source: socket.socket, sink: socket.socket) -> None:
    """Copy bytes until the source ends."""
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)


def reject(message: str, sqlstate: str) -> type[socketserver.BaseRequestHandler]:
    """Return a handler that requests a password and then rejects the session with an error."""
    fields = "".join(f"{code}{value}\0" for code, value in [("S", "FATAL"), ("C", sqlstate), ("M", message)])
    error = fields.encode() + b"\0"

    class Reject(socketserver.BaseRequestHandler):
        def read(self, count: int) -> bytes:
            data = b""
            while len(data) < count and (more := self.request.recv(count - len(data))):
                data += more
            return data

        def handle(self) -> None:
            while True:
                length, code = struct.unpack("!II", self.read(8))
                self.read(length - 8)
                if code == 3 << 16:
                    break
                self.request.sendall(b"N")  # neither TLS nor GSSAPI
            self.request.sendall(b"R" + struct.pack("!II", 8, 3))  # AuthenticationCleartextPassword
            _, length = struct.unpack("!cI", self.read(5))
            self.read(length - 4)
            self.request.sendall(b"E" + struct.pack("!I", len(error) + 4) + error)

    return Reject
