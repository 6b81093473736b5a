"""Records today's log for the corpus: `python -m tests.corpus.record`.

Run it when today's code is meant to answer otherwise than the log `today` was answered: the one
that was there becomes an older one, which must stay readable for ever, and a new one is recorded.
What `older` logs hold can be written by no version but the one that wrote them.
"""

import datetime as dt
import gzip
import json
import sys
import tempfile
from pathlib import Path

import thetawarden  # noqa: F401  # chooses what numpy computes with, before it is imported

# isort: split
import numpy as np

from tests.corpus.logs import LOGS, TODAY, VOCABULARY, settings
from thetawarden.domain.instants import NS_PER_MINUTE
from thetawarden.messages.registry import ROUTES
from thetawarden.messages.trading import Halt
from thetawarden.sim.trader import SimTrader
from thetawarden.sim.world import World

PROPOSES_AT = (40, 45)
KILLED_AT, HALTED_AT, ENDS_AT = 54, 80, 84


def record(folder):
    """A link, a chain, one trade refused and one made, a kill, a halt, an orderly end."""
    world, trader = None, None

    def watch(entry):
        trader.hear(entry)

    trader = SimTrader(
        rng=np.random.default_rng(13),
        say=lambda message: world.say(message, sender="strategist"),
        speed=settings().speed,
    )
    world = World(settings(), folder, watch=watch)
    start_ns = world.settings.start_ns

    def go_to(minute):
        world.run_until(start_ns + minute * NS_PER_MINUTE)

    for minute in PROPOSES_AT:
        go_to(minute)
        trader.act(world.clock.now_ns())
    go_to(KILLED_AT)
    world.kill()
    go_to(HALTED_AT)
    world.say(Halt(reason="it is enough", by="person"), sender="person")
    go_to(ENDS_AT)
    world.stop()
    (file,) = world.disk.folder.glob("*.db")
    return file


def vocabulary():
    """Every kind of message with its fields, in order."""
    return {kind.__name__: list(kind.__struct_fields__) for kind in ROUTES}


def keep(file, name):
    """Put a day's file into the corpus."""
    packed = gzip.compress(file.read_bytes(), 9, mtime=0)
    (LOGS / f"{file.stem}.{name}.db.gz").write_bytes(packed)


def _free_name(old):
    """What an older log is called: until when it was today's, and no other has that name."""
    until = dt.date.today().isoformat()  # noqa: DTZ011  # a name for a person
    names = (f"until-{until}", *(f"until-{until}-{number}" for number in range(2, 100)))
    paths = (old.with_name(old.name.replace(f".{TODAY}.", f".{name}.")) for name in names)
    return next(path for path in paths if not path.exists())


def main():
    """Move today's log among the older ones and record another."""
    LOGS.mkdir(exist_ok=True)
    for old in sorted(LOGS.glob(f"*.{TODAY}.*")):
        old.rename(_free_name(old))
    with tempfile.TemporaryDirectory() as folder:
        keep(record(Path(folder)), TODAY)
    VOCABULARY.write_text(json.dumps(vocabulary(), indent=1) + "\n", encoding="utf-8")
    sys.stdout.write("recorded; commit tests/corpus\n")


if __name__ == "__main__":
    main()
