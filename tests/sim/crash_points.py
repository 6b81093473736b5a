"""Kills a desk at every point of a trade: `python -m tests.sim.crash_points [--short]`.

Points are numbered: before and after each message handled (a write), each commit (a sync) and each
effect (a send). At each the whole world is forked, and in the child the process is killed there.
Another process begins as any does, everything comes to rest, and the referee has looked at every
step of it. Points between which nothing was synced, nothing was sent and no time passed leave the
same behind: of those the short way kills at one, the long way at each. Exits 1 where one failed.
"""

import gc
import json
import os
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np

from tests.corpus.logs import settings
from thetawarden.domain.instants import NS_PER_MINUTE
from thetawarden.domain.orders.intent import OrderRole
from thetawarden.domain.orders.stages import Stage
from thetawarden.infra.halt_flag import HaltFlagFile
from thetawarden.infra.store_lock import StoreLock
from thetawarden.messages.base import Envelope
from thetawarden.messages.books import ExecutionReported
from thetawarden.messages.orders import OrderStageChanged
from thetawarden.sim.faults.people import resume
from thetawarden.sim.invariants.referee import Referee
from thetawarden.sim.meddling import Point, ProcessKilledError
from thetawarden.sim.trader import SimTrader
from thetawarden.sim.world import World

PROPOSES_AT, RESTS_FOR = 40, 24
SHORT, LONG = 47.5, 75
"""Minutes of the world; a killed process is followed by another after twenty."""


class Killer:
    """Forks the world at every point, and kills its process in the child."""

    def __init__(self, *, each):
        self.world = None
        self.each = each
        self.armed = self.is_child = False
        self.points = Counter()
        self.reports = []
        self._to_parent = None
        self._done = 0
        self._seen = set()

    def reach(self, point, envelope):
        if not self.armed:
            return
        self.points[point] += 1
        self._done += point in {Point.AFTER_COMMIT, Point.AFTER_EFFECT}
        leaves = (self._done, self.world.clock.elapsed_ns())
        if not self.each and leaves in self._seen:
            return
        self._seen.add(leaves)
        self._fork(point, envelope)

    def _fork(self, point, envelope):
        from_child, to_parent = os.pipe()
        if os.fork() == 0:
            os.close(from_child)
            self.armed, self.is_child, self._to_parent = False, True, to_parent
            self._move_out()
            raise ProcessKilledError(point, self.points.total())
        os.close(to_parent)
        with os.fdopen(from_child, "rb") as told:
            text = told.read()
        os.wait()
        name = type(envelope.body).__name__
        report = json.loads(text) if text else {"violations": [["died", "without a word"]]}
        self.reports.append(
            {"number": self.points.total(), "point": point.value, "at": name, **report}
        )

    def _move_out(self):
        """A child writes where nobody else does."""
        folder = self.world.disk.folder.parent
        own = folder.with_name(f"{folder.name}-{self.points.total()}")
        shutil.copytree(folder, own)
        self.world.disk.folder = own / "log"
        self.world.flag = HaltFlagFile(own / "halt")
        self.world._lock, self.world._store = StoreLock(own), own

    def report(self, **told):
        """Tell the parent what came of it, and be gone."""
        os.write(self._to_parent, json.dumps(told).encode())
        os._exit(0)

    def mishap(self, _actor, _envelope):
        return None

    def calm(self):
        """Nothing is left to happen."""


class Story:
    """One trade, from its proposal on, in a world that may be killed."""

    def __init__(self, folder, *, short):
        self.referee, self.killer = Referee(), Killer(each=not short)
        self.short, self.until = short, SHORT if short else LONG
        self.entries = self.sent = 0
        self.world = World(settings(), folder, watch=self.hear)
        self.killer.world, self.world.meddler = self.world, self.killer
        self.trader = SimTrader(
            rng=np.random.default_rng(13),
            say=lambda message: self.world.say(message, sender="strategist"),
            speed=self.world.settings.speed,
        )
        self.referee.attend(self.world)

    def hear(self, entry):
        self.referee.hear(entry)
        self.trader.hear(entry)
        body = entry.body if isinstance(entry, Envelope) else None
        if self.short and not self.killer.is_child:
            self._pick(body)
        if isinstance(body, OrderStageChanged) and body.role is OrderRole.ENTRY:
            self.entries += body.stage is Stage.FILLED
            self.sent += body.stage is Stage.INTENDED

    def _pick(self, body):
        """The short way leaves out what happens while an order merely waits to be filled."""
        if isinstance(body, ExecutionReported):
            self.killer.armed = True
        elif isinstance(body, OrderStageChanged) and body.stage is Stage.WORKING:
            self.killer.armed = False

    def go_to(self, minute):
        self.world.run_until(self.world.settings.start_ns + round(minute * NS_PER_MINUTE))

    def tell(self):
        """Run it; in a child, rest after the kill and report."""
        self.go_to(PROPOSES_AT)
        self.trader.act(self.world.clock.now_ns())
        self.go_to(PROPOSES_AT + 1)
        self.trader.act(self.world.clock.now_ns())
        self.killer.armed = True
        self.go_to(self.until)
        self.killer.armed = False
        if self.killer.is_child:
            resume(self.world)
            elapsed_min = (self.world.clock.elapsed_ns() - 1) // NS_PER_MINUTE
            self.go_to(max(elapsed_min, self.until) + RESTS_FOR)
            if not self.referee.violations:
                self.referee.end()
            found = [[one.invariant, one.words] for one in self.referee.violations[:3]]
            self.killer.report(
                violations=found, processes=self.world.processes, filled=self.entries
            )


def main(arguments):
    """Kill at every point, say what came of it."""
    short = "--short" in arguments
    gc.disable()
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent) / "world"
        folder.mkdir()
        story = Story(folder, short=short)
        try:
            story.tell()
        except Exception as error:
            if story.killer.is_child:
                story.killer.report(violations=[["raised", repr(error)]])
            raise
    killer = story.killer
    failed = [one for one in killer.reports if one["violations"] or one.get("processes") != 2]
    told = {
        "points": killer.points.total(),
        "by_point": killer.points,
        "killed": len(killer.reports),
        "intended": story.sent,
        "filled": story.entries,
        "failed": failed[:10],
    }
    sys.stdout.write(json.dumps(told, indent=1) + "\n")
    return 1 if failed or story.referee.violations else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
