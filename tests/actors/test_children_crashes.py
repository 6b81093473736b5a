"""Watchers started, stopped, crashed and killed in any order: each knows exactly what it was told.

The desk is a real one on real threads over a real message log; a kill is a copy of the log's folder
at that moment, from which the next desk is brought back.
"""

import datetime as dt
import shutil
import tempfile
from pathlib import Path

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.actors.desks import note, until
from tests.actors.watchers import told, watching
from thetawarden.actors.desk import Desk, DeskSettings
from thetawarden.domain.vitals import Vitals
from thetawarden.infra.clock import WallClock
from thetawarden.infra.journal.journal import Journal
from thetawarden.infra.journal.reader import open_log
from thetawarden.infra.journal.recover import recover
from thetawarden.infra.journal.verify import verify_log
from thetawarden.messages.operations import VitalsTaken
from thetawarden.sim.replay import verify_replay
from thetawarden.supervisor import ADAPTERS

KEYS = ("SPX", "NDX", "RUT")
FIRST_DAY = dt.date(2026, 3, 2)
keys = st.sampled_from(KEYS)


class Nothing:
    def perform(self, envelope):
        return ()


class Watchers(RuleBasedStateMachine):
    @initialize()
    def begin(self):
        self.root = Path(tempfile.mkdtemp(prefix="watchers"))
        self.lives, self.number, self.tried = 0, 0, {}
        self.day = FIRST_DAY
        self.told = {key: [] for key in KEYS}
        self.asked, self.loose = (), set()
        self.folder = self.root / "0"
        self.folder.mkdir()
        self.live()

    def live(self):
        past = recover(self.folder, ("notifier",), ("chain",))
        self.journal = Journal(
            self.folder, day=self.day, position=past.position, software="test", linger_s=0.0
        )
        nothing = Nothing()
        self.desk = Desk(
            tree=watching(self.tried),
            log=self.journal,
            clock=WallClock(),
            adapters=dict.fromkeys(ADAPTERS, nothing),
            settings=DeskSettings(heartbeat_s=3600.0, snapshot_every=4),
            take_vitals=lambda actors: VitalsTaken(
                vitals=Vitals(actors=actors, log_lag_ns=0, disk_free_bytes=2**40)
            ),
            give_up=lambda _: None,
        )
        for name, each in past.actors.items():
            self.desk.remember(
                name,
                incarnation=each.incarnation,
                snapshot=each.snapshot,
                steps=each.steps,
                unhandled=each.unhandled,
            )
        self.desk.begin_page_with(past.children)
        self.desk.start()

    @rule(wanted=st.lists(keys, max_size=3))
    def ask(self, wanted):
        wanted = tuple(dict.fromkeys(wanted))
        self.desk.ensure_children("chain", wanted)
        # what waited for one that is not asked for is lost, and how much did, depends
        self.loose |= {key for key in KEYS if key not in wanted}
        for key in self.loose & set(wanted):
            self.told[key] = [text for text in self.texts(key) if text in self.told[key]]
        self.loose -= set(wanted)
        self.asked = wanted

    @precondition(lambda self: self.asked)
    @rule(key=keys, crashes=st.sampled_from([0, 0, 1]))
    def tell(self, key, crashes):
        self.number += 1
        text = f"crash {crashes} {self.number}" if crashes else f"note {self.number}"
        self.desk.say(told(key, text), sender="tester")
        if key in self.asked:
            self.told[key].append(text)

    @precondition(lambda self: self.asked)
    @rule(data=st.data())
    def restart(self, data):
        key = data.draw(st.sampled_from(self.asked))
        self.desk.restart(f"chain/{key}", by="tester")

    @rule()
    def turn_page(self):
        self.day += dt.timedelta(days=1)
        self.journal.turn_page(self.day)
        self.desk.begin_page()

    @rule()
    def kill(self):
        marker = self.desk.say(note("a page turned before this one is in place"), sender="tester")
        self.journal.wait_durable(marker, 30)
        self.lives += 1
        after = self.root / str(self.lives)
        self.desk.call(lambda: shutil.copytree(self.folder, after, ignore=_shared_memory))
        self.end()
        self.folder = after
        self.live()
        asked, self.asked = self.asked, ()
        self.ask(asked)

    @invariant()
    def nobody_is_there_who_was_not_asked_for(self):
        if hasattr(self, "desk"):
            there = {name for name in self.desk.posts if name != "notifier"}
            assert there == {f"chain/{key}" for key in self.asked}

    def knows_all(self, key):
        """Each once; one that ended an incarnation may come after others."""
        return sorted(self.texts(key)) == sorted(self.told[key])

    def texts(self, key):
        return self.desk.state_of(f"chain/{key}", timeout_s=10)["texts"]

    def end(self):
        self.desk.stop()
        self.journal.close()

    def teardown(self):
        if not hasattr(self, "desk"):
            return
        try:
            for key in self.asked:
                until(lambda key=key: self.knows_all(key), f"{key} told all")
        finally:
            self.end()
        for _, total in verify_log(self.folder):
            assert total.damaged == 0, total.findings
        with open_log(self.folder) as days:
            self.tried.clear()
            self.tried.update(dict.fromkeys(_everything(self.told), 9))
            assert verify_replay(watching(self.tried), days).first_difference is None
        shutil.rmtree(self.root)


def _shared_memory(_folder, names):
    return [name for name in names if name.endswith("-shm")]


def _everything(texts):
    return [(key, text) for key, said in texts.items() for text in said]


TestWatchers = Watchers.TestCase
TestWatchers.settings = settings(
    max_examples=12,
    stateful_step_count=14,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),  # threads do not fail the same way twice
)
