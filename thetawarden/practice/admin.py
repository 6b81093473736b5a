"""The admin channel: one JSON line in, one JSON line out, on the gateway's own port.

A local peer that begins with `ADM` and a NUL instead of `API` may list, play and end faults, ask
for market time, and change the speed. It is a test bench, never a way to trade.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from typing import TYPE_CHECKING, Any

import msgspec

from thetawarden.errors import RefusedError, ThetawardenError, UnreachableError

if TYPE_CHECKING:
    from thetawarden.practice.server import Server

ADMIN_PREFIX = b"ADM\0"
LINE_BYTES_MAX = 65_536
SPEED_MAX = 1e6
ANSWER_S = 10.0


class Command(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an admin asks: `do` is status, faults, fault, end, speed or bulletin."""

    do: str
    name: str = ""
    args: dict[str, str | int | float | bool] = {}
    speed: float | None = None
    text: str = ""


def answer_line(server: Server, line: bytes) -> bytes:
    """Carry out one command; the answer has `ok`, and `error` when it is false."""
    try:
        command = msgspec.json.decode(line, type=Command)
        answer = {"ok": True, **_carry_out(server, command)}
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        answer = {"ok": False, "error": str(error)}
    except ThetawardenError as error:
        answer = {"ok": False, "error": str(error)}
    return msgspec.json.encode(answer) + b"\n"


def _carry_out(server: Server, command: Command) -> dict[str, Any]:
    match command.do:
        case "status":
            return server.status()
        case "faults":
            return {"faults": server.faults.listing(), "playing": server.faults.playing()}
        case "fault":
            return {"played": server.faults.play(command.name, command.args)}
        case "end":
            if command.name:
                return {"ended": server.faults.end(command.name)}
            server.faults.end_all()
            return {"ended": True}
        case "speed":
            speed = command.speed
            if speed is not None and not (math.isfinite(speed) and 0 < speed <= SPEED_MAX):
                raise RefusedError(f"speed is {speed}, 0 < speed <= {SPEED_MAX:g} allowed")
            server.gateway.clock.change_speed(speed)
            return {"speed": speed}
        case "bulletin":
            server.gateway.bulletin(command.text)
            return {"clients": len(server.gateway.sessions)}
        case _:
            known = "status, faults, fault, end, speed, bulletin"
            raise RefusedError(f"do is {command.do!r}, one of {known} allowed")


async def ask(command: Command, *, port: int, host: str = "127.0.0.1") -> dict[str, Any]:
    """Send one command to a running gateway and return its answer.

    Raises UnreachableError when nobody answers there, RefusedError when the gateway refuses.
    """
    try:
        reader, writer = await asyncio.open_connection(host, port)
        with contextlib.closing(writer):
            writer.write(ADMIN_PREFIX + msgspec.json.encode(command) + b"\n")
            line = await asyncio.wait_for(reader.readline(), timeout=ANSWER_S)
        answer: dict[str, Any] = msgspec.json.decode(line)
    except (OSError, TimeoutError, msgspec.DecodeError) as error:
        raise UnreachableError(
            f"no practice gateway answers on {host}:{port} ({error}); start one first"
        ) from None
    if not answer.get("ok"):
        raise RefusedError(str(answer.get("error")))
    return answer
