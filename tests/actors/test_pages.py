"""A new page of the log begins with everything that recovery must find there."""

import datetime as dt

from tests.actors.desks import RunningDesk, note, until
from tests.actors.watchers import told, watching
from thetawarden.infra.journal.journal import Journal
from thetawarden.infra.journal.recover import recover
from thetawarden.infra.journal.store import day_files
from thetawarden.messages.lifecycle import ActorPaused, ChildrenChanged
from thetawarden.ports import Outcome

DAY = dt.date(2026, 3, 2)


class OnDisk(RunningDesk):
    """The same desk over a real log."""

    def __init__(self, a_tree, folder):
        self.folder = folder
        past = recover(folder, ("notifier",), ("chain",))
        latest = [dt.date.fromisoformat(path.stem) for path in day_files(folder)[-1:]]
        self.day = max([DAY, *latest])
        journal = Journal(
            folder, day=self.day, position=past.position, software="test", linger_s=0.0
        )
        super().__init__(a_tree, log=journal)
        for name, each in past.actors.items():
            self.desk.remember(
                name,
                incarnation=each.incarnation,
                snapshot=each.snapshot,
                steps=each.steps,
                unhandled=each.unhandled,
            )
        self.desk.begin_page_with(past.children)

    def turn(self):
        self.day += dt.timedelta(days=1)
        self.log.turn_page(self.day)
        self.desk.begin_page()
        self.desk.call(lambda: None)

    def __exit__(self, *arguments):
        super().__exit__(*arguments)
        self.log.close()


def test_a_message_for_a_paused_actor_comes_again_however_many_pages_were_turned(tmp_path):
    with OnDisk(watching(), tmp_path) as desk:
        desk.desk.ensure_children("chain", ("SPX",))
        for actor in ("notifier", "chain/SPX"):
            desk.desk.pause(actor, by="test")
        desk.say("waits")
        desk.desk.say(told("SPX", "waits too"), sender="tester")
        for _ in range(5):
            desk.turn()

    with OnDisk(watching(), tmp_path) as again:
        until(lambda: again.texts() == ["waits"])
        again.desk.ensure_children("chain", ("SPX",))
        until(lambda: again.texts("chain/SPX") == ["waits too"])


def test_a_watcher_not_asked_for_since_many_pages_and_processes_comes_back_with_its_state(tmp_path):
    with OnDisk(watching(), tmp_path) as desk:
        desk.desk.ensure_children("chain", ("SPX", "NDX"))
        desk.desk.say(told("SPX", "kept"), sender="tester")
        until(lambda: desk.texts("chain/SPX") == ["kept"])
        desk.desk.ensure_children("chain", ("NDX",))
        desk.turn()
        desk.turn()
    for _ in range(2):
        with OnDisk(watching(), tmp_path) as desk:
            desk.turn()
            desk.turn()
    for path in sorted(tmp_path.glob("*.db"))[:-2]:
        path.unlink()

    with OnDisk(watching(), tmp_path) as again:
        again.desk.ensure_children("chain", ("SPX",))
        assert again.texts("chain/SPX") == ["kept"]
        assert again.desk.posts["chain/SPX"].incarnation == 2


def test_market_data_timers_and_greetings_are_not_carried_over():
    with RunningDesk(watching()) as desk:
        desk.desk.pause("notifier", by="test")
        seq = desk.say("carried")
        desk.desk.router.tell("notifier", note("by name"), sender="tester")
        desk.desk._fire("notifier", "timer", None)
        desk.desk.begin_page()
        desk.desk.call(lambda: None)

        waiting = [each.envelope for each in desk.outcomes(Outcome.WAITING)]
        told = [each.seq for each in waiting if not isinstance(each.body, ActorPaused)]
        assert told == [seq, seq + 1]
        assert desk.said(ChildrenChanged) == []
