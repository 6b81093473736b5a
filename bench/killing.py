"""Kills a loaded desk at a random moment and judges what is left; run as a program, it is the desk.

The program says messages through the real actors from several threads and prints each one's number
and text only after it was acknowledged as durable. The judge reads the log with plain SQL and
msgpack, so that it shares nothing with the code it judges but the format.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

import msgspec

from thetawarden.actors.memory import encode_snapshot, rebuild
from thetawarden.config.schema import Config
from thetawarden.infra.journal.packing import unpacked
from thetawarden.infra.journal.reader import open_log
from thetawarden.infra.journal.recover import recover
from thetawarden.infra.journal.verify import verify_log
from thetawarden.messages.operations import NotifyPerson, Urgency
from thetawarden.messages.trading import Halt, Resume
from thetawarden.process import DeskProcess
from thetawarden.supervisor import actor_names, desk_tree

PRODUCERS = 3
_OUT = 1


class Verdict(msgspec.Struct, kw_only=True):
    """What one kill, or many, came to."""

    kills: int = 0
    acknowledged: int = 0
    lost: int = 0
    wrong: list[str] = msgspec.field(default_factory=list)


def kill_and_judge(store: Path, *, kills: int, seed: int) -> Verdict:
    """Start a desk on the store, kill it, judge; again and again on the same store."""
    verdict, chance = Verdict(), random.Random(seed)
    acknowledged: dict[int, str] = {}
    for _ in range(kills):
        acknowledged |= _live_and_die(store, chance)
        verdict.kills += 1
        _judge(store, acknowledged, verdict)
    verdict.acknowledged = len(acknowledged)
    return verdict


def _live_and_die(store: Path, chance: random.Random) -> dict[int, str]:
    command = [sys.executable, "-m", "bench.killing", str(store), str(chance.randrange(10**6))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as desk:
        early = chance.random() < 0.2
        stdout, stderr = cast("IO[bytes]", desk.stdout), cast("IO[bytes]", desk.stderr)
        first = b"" if early else stdout.readline()
        time.sleep(chance.uniform(0.0, 0.3))
        ended = desk.poll()
        desk.send_signal(signal.SIGKILL)
        lines = first + stdout.read()
        complaint = stderr.read().decode()
    if ended is not None:
        raise AssertionError(f"the desk ended by itself with {ended}: {complaint[-2000:]}")
    whole = lines[: lines.rfind(b"\n") + 1].decode().splitlines()
    return {int(seq): text for seq, text in (line.split(" ", 1) for line in whole)}


def _judge(store: Path, acknowledged: dict[int, str], verdict: Verdict) -> None:
    folder = store / "log"
    found = {seq: _text(body) for seq, _, body in _rows(folder, _MESSAGES)}
    verdict.lost += sum(found.get(seq) != text for seq, text in acknowledged.items())
    total = None
    for _, total in verify_log(folder):  # noqa: B007  # the last one is the sum
        pass
    if total is not None and total.damaged:
        verdict.wrong.append(f"{total.damaged} damaged: {total.findings[:3]}")
    tree = desk_tree(Config())
    specs = {spec.name: spec for group in tree.groups for spec in group.actors}
    recovered = recover(folder, actor_names(tree))
    with open_log(folder) as days:
        steps = [step.delivery for day in days for step in day.steps()]
    states: dict[str, Any] = {}
    for name, spec in specs.items():
        past = recovered.actors[name]
        actor, timers = rebuild(spec.make, past.snapshot, past.steps)
        states[name] = actor.state
        whole = rebuild(spec.make, None, [step for step in steps if step.actor == name])
        if encode_snapshot(actor, timers) != encode_snapshot(*whole):
            verdict.wrong.append(f"{name}: snapshot and steps differ from a full replay")
    outbox, latch = _by_hand(folder)
    if set(states["notifier"].outbox) != outbox:
        verdict.wrong.append(f"outbox {sorted(states['notifier'].outbox)}, not {sorted(outbox)}")
    brake = states["governor"].latch
    if (brake.epoch, brake.halt is not None) != latch:
        verdict.wrong.append(f"latch {brake}, not {latch}")


_MESSAGES = "SELECT seq, sender, body FROM messages ORDER BY seq"
_HANDLED = (
    "SELECT d.n, d.actor, m.body FROM deliveries d JOIN messages m ON m.seq = d.seq"
    " WHERE d.outcome = 0 ORDER BY d.n"
)


def _rows(folder: Path, query: str) -> Iterator[tuple[int, str, list[Any]]]:
    for path in sorted(folder.glob("*.db")):
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            for number, name, body in connection.execute(query):
                yield number, name, msgspec.msgpack.decode(unpacked(body))


def _text(body: list[Any]) -> str:
    return str(body[-1] if body[0] == "NotifyPerson" else body[1])


def _by_hand(folder: Path) -> tuple[set[int], tuple[int, bool]]:
    """The notifier's outbox and the governor's brake, worked out without their code."""
    asked = {
        body[1]
        for _, sender, body in _rows(folder, _MESSAGES)
        if body[0] == "DeliverAlert" and sender == "notifier"
    }
    epoch, halted = 0, False
    for _, actor, (kind, *fields) in _rows(folder, _HANDLED):
        if actor == "notifier" and kind == "AlertDelivered":
            asked.discard(fields[0])
        if actor != "governor":
            continue
        if kind == "Halt" and not halted:
            epoch, halted = epoch + 1, True
        elif kind == "Resume" and halted and fields[2] == epoch:
            halted = False
        elif kind == "AdoptHaltFlag":
            flag = fields[0]["epoch"]
            if flag > epoch or (flag == 0 and not halted):  # else a leftover of a lifted halt
                epoch, halted = max(epoch + 1, flag), True
    return asked, (epoch, halted)


def _be_the_desk(store: Path, seed: int) -> None:
    process = DeskProcess(Config(), store)
    process.open()

    def say(body: NotifyPerson | Halt | Resume, text: str) -> None:
        seq = process.desk.say(body, sender="person")
        process.journal.wait_durable(seq, 30)
        os.write(_OUT, f"{seq} {text}\n".encode())

    def produce(worker: int) -> None:
        chance = random.Random(seed + worker)
        for number in range(10**9):
            text = f"{seed}.{worker}.{number}"
            if chance.random() < 0.9:
                say(NotifyPerson(urgency=Urgency.LOW, topic="load", text=text), text)
            elif chance.random() < 0.5:
                say(Halt(reason=text, by="load"), text)
            else:
                latch = process.desk.state_of("governor", timeout_s=5)["latch"]
                say(Resume(reason=text, by="load", epoch=latch["epoch"]), text)

    for worker in range(PRODUCERS):
        threading.Thread(target=produce, args=(worker,), daemon=True).start()
    while True:
        time.sleep(0.05)
        process.desk.begin_page()


if __name__ == "__main__":
    _be_the_desk(Path(sys.argv[1]), int(sys.argv[2]))
