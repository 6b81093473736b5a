"""Seeded hostile bytes: honest messages bent in every way, and plain garbage."""

import asyncio
import random
import struct

from ib_async import LimitOrder, Option

from tests.practice.fake_market import AAPL, ES, SPX, SPY
from thetawarden.practice.wire.incoming import Incoming

TOKENS = (
    "",
    "0",
    "1",
    "-1",
    "2147483647",
    "1.7976931348623157E308",
    "99999999999999999999999",
    "nan",
    "inf",
    "Infinite",
    "SPY",
    "STK",
    "OPT",
    "BAG",
    "20260320",
    "500.0",
    "P",
    "SMART",
    "USD",
    "BUY",
    "LMT",
    "756733",
    "1 D",
    "1 min",
    "TRADES",
    "All",
    "NetLiquidation",
    "DU1234567",
    "\udcff",
    "x" * 2000,
)


def _order_payload():
    sent = []

    class Wire:
        def isConnected(self):
            return True

        def sendMsg(self, data):
            sent.append(data)

    from ib_async.client import Client  # noqa: PLC0415 - only this needs the bare client
    from ib_async.wrapper import Wrapper  # noqa: PLC0415

    client = Client(Wrapper(None))
    client.conn, client.connState, client._serverVersion = Wire(), Client.CONNECTED, 178
    contract = Option("SPY", "20260320", 500.0, "P", "SMART", currency="USD")
    client.placeOrder(10, contract, LimitOrder("BUY", 1, 1.0))
    return sent[0][4:]


def frame(payload):
    return struct.pack(">I", len(payload)) + payload


class Hostile:
    """A stream of hostile frames; the same seed gives the same stream."""

    def __init__(self, seed):
        self._random = random.Random(seed)
        self._order = _order_payload()

    def frame(self):
        """Return the next frame, and whether it leaves the stream in pieces."""
        kinds = (self._invented, self._bent_order, self._garbage, self._lying)
        (bend,) = self._random.choices(kinds, weights=(45, 45, 8, 2))
        return bend(), bend == self._lying

    def _invented(self):
        number = self._random.choice(sorted(Incoming)).value
        fields = self._random.choices(TOKENS, k=self._random.randrange(0, 40))
        text = "\0".join([str(number), *fields]) + "\0"
        return frame(text.encode("utf-8", "surrogateescape"))

    def _bent_order(self):
        fields = self._order.split(b"\0")
        for _ in range(self._random.randrange(1, 4)):
            at = self._random.randrange(1, len(fields) - 1)
            token = self._random.choice(TOKENS).encode("utf-8", "surrogateescape")
            how = self._random.randrange(4)
            if how == 0:
                fields[at] = token
            elif how == 1:
                del fields[at]
            elif how == 2:
                fields.insert(at, token)
            else:
                fields = fields[: max(8, at)]
        return frame(b"\0".join(fields))

    def _garbage(self):
        return frame(self._random.randbytes(self._random.randrange(0, 200)))

    def _lying(self):
        whole = frame(self._order)
        if self._random.random() < 0.5:
            return struct.pack(">I", self._random.getrandbits(32)) + whole[4:]
        return whole[: self._random.randrange(1, len(whole))]


class Plausible:
    """Stands in for a field reader: every field it is asked for is plausible, none is checked."""

    def __init__(self, seed):
        self._random = random.Random(seed)

    def text(self):
        return self._random.choice(TOKENS[:-2])

    def texts(self, count):
        return tuple(self.text() for _ in range(count))

    def skip(self):
        self.text()

    def peek(self, _ahead):
        return self.text()

    def optional_int(self):
        return self._random.choice((None, 0, 1, 3, -1, 7, 10**9, SPY, SPX, AAPL, ES))

    def integer(self, default=0):
        value = self.optional_int()
        return default if value is None else value

    def optional_float(self):
        return self._random.choice((None, 0.0, 1.0, -1.5, 500.0, 1e12, 1e-9))

    def flag(self):
        return self._random.random() < 0.5

    def count(self):
        return self._random.randrange(3)

    def pairs(self):
        return tuple((self.text(), self.text()) for _ in range(self.count()))


async def attack(port, *, count, seed, client_id):
    """Send so many hostile frames, reconnecting whenever thrown out; return the connections."""
    hostile, sent, connections = Hostile(seed), 0, 0
    while sent < count:
        connections, broken = connections + 1, False
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        drain = asyncio.create_task(_discard(reader))
        start = f"71\x002\0{client_id + connections % 8}\0\0".encode()
        writer.write(b"API\0" + frame(b"v157..178") + frame(start))
        try:
            while not (broken or sent >= count or drain.done() or writer.is_closing()):
                data, broken = hostile.frame()
                writer.write(data)
                sent += 1
                if broken or sent % 20 == 0:
                    await writer.drain()
                    await asyncio.sleep(0)
        except OSError:
            pass
        writer.close()
        await drain
    return connections


async def _discard(reader):
    try:
        while await reader.read(65536):
            pass
    except OSError:
        pass
