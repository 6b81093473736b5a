"""A whole desk process that is given one order and dies at a moment of its sending.

`python -m tests.infra.ib.order_desk PORT STORE COMMAND LIFE`: COMMAND is a file with an encoded
`SubmitOrder` whose epoch and gate are filled in here; LIFE is `before` the bytes, `after` them, or
`stay`, which sends nothing new and waits to be ended.
"""

import os
import signal
import sys
import time
from pathlib import Path

import msgspec

import thetawarden.process
from tests.actors.desks import until
from thetawarden.config.broker import BrokerConfig
from thetawarden.config.schema import Config, JournalConfig
from thetawarden.infra.ib.orders import OrderHandler
from thetawarden.infra.practice_clock import PracticeClock, ask_gateway
from thetawarden.messages import registry
from thetawarden.process import DeskProcess
from thetawarden.supervisor import desk_tree

S = 10**9
QUIET = ("context", "futures", "universe", "regime")


def _tree(config, **words):
    """The real tree, without those who would have the gateway make whole markets."""
    real = desk_tree(config, **words)
    groups = []
    for group in real.groups:
        actors = tuple(spec for spec in group.actors if spec.name not in QUIET)
        if actors:
            groups.append(msgspec.structs.replace(group, actors=actors, template=None))
    return msgspec.structs.replace(real, groups=tuple(groups))


def _die(*_told, **_words):
    os.kill(os.getpid(), signal.SIGKILL)


def _ready(process):
    state = process.desk.state_of("connection", timeout_s=10)
    return state["state"] == "ready" and state["epoch"]


def main(port, store, command, life):
    if life == "before":
        OrderHandler._submit = _die
    elif life == "after":
        OrderHandler._say_sent = _die
    thetawarden.process.desk_tree = _tree
    thetawarden.process.check_tree = lambda *_, **__: ()
    clock = PracticeClock(lambda: ask_gateway(int(port)))
    clock.start()
    config = Config(
        broker=BrokerConfig(agree_apart_s=0.1),
        journal=JournalConfig(reserve_mb=1),
    )
    process = DeskProcess(config, Path(store))
    process.follow(clock)
    process.reach("127.0.0.1", int(port))
    process.take()
    process.open()
    until(lambda: _ready(process), what="a ready link")
    os.write(1, b"ready\n")
    if life != "stay":
        asked = registry.decode(Path(command).read_bytes())
        now = clock.now_ns()
        gate = msgspec.structs.replace(asked.gate, expires_ns=now + 60 * S, quoted_ns=now)
        command = msgspec.structs.replace(asked, epoch=_ready(process), gate=gate)
        process.desk.say(command, sender="executor")
    time.sleep(60)


if __name__ == "__main__":
    main(*sys.argv[1:])
