"""A dlt-daemon that says to each client what a real one said once."""

import socket
import threading
from pathlib import Path

FIXTURE = Path(__file__).resolve().parent.parent / "Fixtures/dlt/raw-tcp-stream.bin"


def captured_messages() -> list[bytes]:
    """The messages of the capture that tell of a process."""
    data, offset, messages = FIXTURE.read_bytes(), 0, []
    while offset + 4 <= len(data):
        if data[offset:offset + 4] == b"DLS\x01":
            offset += 4
            continue
        length = int.from_bytes(data[offset + 2:offset + 4], "big")
        message = data[offset:offset + length]
        if b"SYS\0PROC" in message and b"stat\0" in message:
            messages.append(message)
        offset += length
    return messages


class TalkingDaemon:
    """One message after the other, so far apart; ends when it is left."""

    def __init__(self, seconds_between: float):
        self._pause = seconds_between
        self._messages = captured_messages()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> "TalkingDaemon":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._listener.close()
        self._thread.join(5)

    def _serve(self) -> None:
        self._listener.settimeout(0.2)
        while not self._ending.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                continue
            with client:
                self._talk(client)

    def _talk(self, client: socket.socket) -> None:
        number = 0
        try:
            while not self._ending.wait(self._pause):
                client.sendall(self._messages[number % len(self._messages)])
                number += 1
        except OSError:  # the client is gone
            return
