"""Peers for the shell's tests: length-prefixed frames, an echoing broker, reads with a limit."""

import contextlib
import socket
import struct
import threading
import time

FAKES = {
    "engine": "tests.dataplane.fakes:FakeEngine",
    "command": "tests.dataplane.fakes:command",
    "codec": "tests.dataplane.fakes:no_codec",
}
LIMIT = 10.0


def frame(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


class Echo:
    """A server on loopback: `serve(sock)` for each connection, each in a thread."""

    def __init__(self, serve=None):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.accepted = []
        self._serve = serve or self._echo
        self._threads = [threading.Thread(target=self._run, daemon=True)]
        self._threads[0].start()

    def _run(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            self.accepted.append(sock)
            thread = threading.Thread(target=self._guarded, args=(sock,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _guarded(self, sock):
        with contextlib.suppress(OSError), sock:
            sock.settimeout(LIMIT)
            self._serve(sock)

    @staticmethod
    def _echo(sock):
        while data := sock.recv(1 << 16):
            sock.sendall(data)

    def close(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for sock in self.accepted:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        for thread in self._threads:
            thread.join(LIMIT)


def read(sock, size):
    """Exactly so many bytes, or fewer at the end."""
    data = bytearray()
    while len(data) < size:
        more = sock.recv(min(1 << 20, size - len(data)))
        if not more:
            break
        data += more
    return bytes(data)


def until(condition, what):
    """Wait for a condition that is asked again and again, with a limit. `what` may be asked too:
    it then says how things stand."""
    limit = time.monotonic() + LIMIT
    while not (found := condition()):
        if time.monotonic() > limit:
            raise AssertionError(f"waited {LIMIT} s for {what() if callable(what) else what}")
    return found
