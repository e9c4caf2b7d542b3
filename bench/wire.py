"""Kept connections to one server, as a proxy keeps them: whoever asks takes one that is free."""

import asyncio
from collections import deque
from collections.abc import Iterable

TIMEOUT = 20
"""Seconds after which nobody waits for an answer any more."""
KEPT = 32
"""Connections kept while nobody uses them, as proxies do by default."""
Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Wire:
    """As many connections as are needed at once; a few are kept, and taken in turn."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._free: deque[Connection] = deque()
        self.opened = 0
        """How many connections were made."""

    async def send(
        self, method: str, path: str, headers: Iterable[str] = (), body: bytes = b""
    ) -> tuple[int, bytes]:
        """Send one request; return status and content. Status 0 when nobody answers."""
        head = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *headers]
        if method == "POST":
            head.append(f"Content-Length: {len(body)}")
        try:
            async with asyncio.timeout(TIMEOUT):
                return await self._exchange("\r\n".join([*head, "", ""]).encode() + body)
        except (OSError, EOFError, TimeoutError):
            return 0, b""

    async def _exchange(self, request: bytes) -> tuple[int, bytes]:
        reader, writer = connection = await self._take()
        is_whole = False
        try:
            writer.write(request)
            top = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = int(top.partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0])
            content = await reader.readexactly(length)
            is_whole = b"\r\nconnection: close" not in top
        finally:
            if is_whole and len(self._free) < KEPT:
                self._free.append(connection)
            else:
                writer.close()
        return int(top.split(b" ", 2)[1]), content

    async def _take(self) -> Connection:
        while self._free:
            reader, writer = self._free.popleft()
            if not reader.at_eof() and reader.exception() is None:
                return reader, writer
            writer.close()
        self.opened += 1
        return await asyncio.open_connection("127.0.0.1", self._port)

    def close(self) -> None:
        """Let go of all connections that nobody uses."""
        while self._free:
            self._free.popleft()[1].close()
