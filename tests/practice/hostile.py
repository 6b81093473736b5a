"""Seeded hostile bytes: honest messages bent in every way, and plain garbage."""

import asyncio
import random
import struct

from ib_async import LimitOrder, Option

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
        kinds = (self._invented, self._bent_order, self._garbage, self._lying)
        (bend,) = self._random.choices(kinds, weights=(45, 45, 8, 2))
        return bend()

    def _invented(self):
        number = self._random.choice(sorted(Incoming)).value
        fields = self._random.choices(TOKENS, k=self._random.randrange(0, 40))
        text = "\0".join([str(number), *fields]) + "\0"
        return frame(text.encode("utf-8", "surrogateescape"))

    def _bent_order(self):
        fields = self._order.split(b"\0")
        for _ in range(self._random.randrange(1, 4)):
            at = self._random.randrange(1, len(fields))
            token = self._random.choice(TOKENS).encode("utf-8", "surrogateescape")
            how = self._random.randrange(4)
            if how == 0:
                fields[at] = token
            elif how == 1:
                del fields[at]
            elif how == 2:
                fields.insert(at, token)
            else:
                fields = fields[: max(2, at)]
        return frame(b"\0".join(fields))

    def _garbage(self):
        return frame(self._random.randbytes(self._random.randrange(0, 200)))

    def _lying(self):
        whole = frame(self._order)
        if self._random.random() < 0.5:
            return struct.pack(">I", self._random.getrandbits(32)) + whole[4:]
        return whole[: self._random.randrange(1, len(whole))]


async def attack(port, *, count, seed, client_id):
    """Send so many hostile frames, reconnecting whenever thrown out; return the connections."""
    hostile, sent, connections = Hostile(seed), 0, 0
    while sent < count:
        connections += 1
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        drain = asyncio.create_task(_discard(reader))
        start = f"71\x002\0{client_id}\0\0".encode()
        writer.write(b"API\0" + frame(b"v157..178") + frame(start))
        try:
            while sent < count and not drain.done():
                for _ in range(20):
                    writer.write(hostile.frame())
                    sent += 1
                await writer.drain()
                await asyncio.sleep(0)
        except OSError:
            pass
        writer.close()
        drain.cancel()
    return connections


async def _discard(reader):
    try:
        while await reader.read(65536):
            pass
    except OSError:
        pass
