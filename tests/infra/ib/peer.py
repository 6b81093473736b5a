"""A scripted peer: speaks the first words of a gateway over a real socket, then obeys the test."""

import asyncio
import struct


def frame(*fields):
    payload = "".join(f"{field}\0" for field in fields).encode("utf-8", "surrogateescape")
    return struct.pack(">I", len(payload)) + payload


class Peer:
    """Listens on a loopback port; `heard` are the requests of the newest client, as fields."""

    def __init__(self):
        self.heard = []
        self.heard_at = []
        self.greeting = frame("178", "20260302 10:00:00 US/Eastern")
        self.welcome = frame(15, 1, "DU1234567") + frame(9, 1, 1)
        self.answers = {}
        self.links = 0
        self.writer = self.broken = None
        self.gone = asyncio.Event()
        self._server = None

    async def start(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self):
        self._server.close()
        if self.writer is not None:
            self.writer.close()
        await asyncio.sleep(0)

    def send(self, *fields):
        self.writer.write(frame(*fields))

    def asked(self, message_id):
        return [fields for fields in self.heard if fields[0] == str(message_id)]

    async def _serve(self, reader, writer):
        self.writer, self.heard = writer, []
        self.links += 1
        self.gone.clear()
        try:
            assert await reader.readexactly(4) == b"API\0"
            await self._read(reader)
            writer.write(self.greeting)
            while True:
                fields = (await self._read(reader)).decode().split("\0")[:-1]
                self.heard.append(fields)
                self.heard_at.append(asyncio.get_running_loop().time())
                if fields[0] == "71":
                    writer.write(self.welcome)
                if fields[0] in self.answers:
                    self.answers[fields[0]](fields)
        except asyncio.IncompleteReadError:
            pass
        except OSError as error:
            self.broken = error
        finally:
            self.gone.set()
            writer.close()

    @staticmethod
    async def _read(reader):
        (length,) = struct.unpack(">I", await reader.readexactly(4))
        return await reader.readexactly(length)
