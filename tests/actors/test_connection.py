"""The connection actor alone, on a clock turned by hand: what it orders, tells, leaves unsaid."""

import datetime as dt
import itertools

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.infra.ib.linkdesk import RULES, S
from thetawarden.actors.connection import Connection
from thetawarden.domain.instants import UnixNs, new_york_ns
from thetawarden.domain.link.machine import LIVE
from thetawarden.domain.link.night import NightWindow
from thetawarden.domain.link.states import LinkState, LinkTrouble
from thetawarden.messages.books import BookFetched, BookJudged, RefreshBook
from thetawarden.messages.lifecycle import Begin, Quiesce
from thetawarden.messages.link import (
    BrokerNoticed,
    CloseLink,
    DecodingFailed,
    FetchBook,
    LinkChanged,
    LinkLost,
    LinkOpened,
    LinkProbed,
    OpenLink,
    ProbeLink,
)
from thetawarden.messages.operations import NotifyPerson
from thetawarden.messages.timers import CancelTimer, StartTimer, TimerFired

NOON = new_york_ns(dt.date(2026, 3, 3), dt.time(12))
NIGHT = NightWindow(
    begins=dt.time(23, 45),
    ends=dt.time(0, 45),
    quiet_before_ns=60 * S,
    patience_after_ns=600 * S,
)
SLOW = msgspec.structs.replace(
    RULES,
    night=NIGHT,
    probe_ns=5 * S,
    probe_overdue_ns=30 * S,
    apart_ns=10 * S,
    refresh_ns=300 * S,
    outage_ns=120 * S,
    page_again_ns=900 * S,
    own_ghost_ns=90 * S,
    retry_slowly_ns=60 * S,
    look_again_ns=60 * S,
    pace_ns=30 * S,
)


class Line:
    """The actor with its timers; `broker` says what becomes of what it orders."""

    def __init__(self, *, rules=SLOW, now=NOON, resumed_from=None, reachable=True):
        self.actor = Connection(rules=rules)
        if resumed_from is not None:
            self.actor.state = resumed_from
        self.now, self.timers, self.said = now, {}, []
        self.reachable, self.whole, self.agrees = reachable, True, True  # None: says nothing
        self.answers_probes = True
        self.hear(Begin(incarnation=1, resumed=resumed_from is not None))

    def hear(self, message):
        answers = self.actor.receive(message, UnixNs(self.now))
        self.said += [(self.now, one) for one in answers]
        for one in answers:
            self._keep_time(one)
        for one in answers:
            self._obey(one)
        return answers

    def _keep_time(self, said):
        match said:
            case StartTimer(name=name, after_ns=after):
                assert after > 0
                self.timers[name] = self.now + after
            case CancelTimer(name=name):
                self.timers.pop(name, None)

    def _obey(self, said):
        match said:
            case OpenLink(epoch=epoch):
                if self.reachable:
                    accounts = ("DU1234567",)
                    self.hear(LinkOpened(epoch=epoch, server_version=178, accounts=accounts))
                elif self.reachable is False:
                    self.lose(LinkTrouble.UNREACHABLE, epoch)
            case ProbeLink(epoch=epoch, number=number) if self.answers_probes:
                self.hear(LinkProbed(epoch=epoch, number=number, round_trip_ns=1))
            case FetchBook(epoch=epoch, round=number):
                missing = () if self.whole else ("positions",)
                self.hear(book(epoch, number, missing=missing))
                if self.whole:
                    self.hear(judged(epoch, number, agreed=self.agrees))

    def lose(self, trouble=LinkTrouble.CLOSED_BY_PEER, epoch=None):
        epoch = self.actor.state.epoch if epoch is None else epoch
        self.hear(LinkLost(epoch=epoch, trouble=trouble, words="gone"))

    def run(self, seconds):
        """Let time pass, firing what comes due."""
        end = self.now + seconds * S
        while self.timers and min(self.timers.values()) <= end:
            name, due = min(self.timers.items(), key=lambda timer: timer[1])
            del self.timers[name]
            self.now = max(self.now, due)
            self.hear(TimerFired(name=name))
        self.now = end

    def to(self, at, day=dt.date(2026, 3, 3)):
        self.run((new_york_ns(day, at) - self.now) // S)

    def all_of(self, kind):
        return [one for _, one in self.said if isinstance(one, kind)]

    def pages(self):
        return [one.text for one in self.all_of(NotifyPerson)]

    @property
    def link(self):
        return self.all_of(LinkChanged)[-1]


def book(epoch, number, *, missing=(), executions=()):
    return BookFetched(
        epoch=epoch,
        round=number,
        missing=missing,
        orders=(),
        completed=(),
        executions=executions,
        commissions=(),
        positions=(),
        values=None,
    )


def judged(epoch, number, *, agreed=True):
    words = () if agreed else ("1 SPY nobody knows of",)
    return BookJudged(epoch=epoch, round=number, agreed=agreed, unexplained=words)


def ready(**settings):
    line = Line(**settings)
    line.run(11)
    assert line.link.entries
    return line


def test_ready_takes_two_equal_books_ten_seconds_apart_and_no_less():
    line = Line()

    line.run(9)
    assert not line.link.entries
    line.run(2)

    assert line.link.state is LinkState.READY
    fetched_at = [at for at, one in line.said if isinstance(one, FetchBook)]
    assert fetched_at[1] - fetched_at[0] >= 10 * S


def test_it_does_not_matter_whether_the_keeper_or_the_broker_is_heard_first():
    for turned in (False, True):
        actor, now = Connection(rules=SLOW), NOON
        actor.receive(Begin(incarnation=1, resumed=False), now)
        actor.receive(LinkOpened(epoch=1, server_version=178, accounts=("DU1",)), now)
        for number in (1, 2):
            pair = [book(1, number), judged(1, number)]
            for message in reversed(pair) if turned else pair:
                said = actor.receive(message, UnixNs(now))
            now += 10 * S
            actor.receive(TimerFired(name="fetch later"), UnixNs(now))

        assert actor.state.state is LinkState.READY
        assert any(isinstance(one, LinkChanged) and one.entries for one in said)


def test_a_keeper_that_finds_something_unexplained_stops_entries_until_it_agrees():
    line = ready()
    line.agrees = False

    line.hear(RefreshBook(reason="a fill"))
    assert (line.link.state, line.link.entries) == (LinkState.SYNCING, False)
    line.run(60)
    assert not line.link.entries
    line.agrees = True
    line.run(25)

    assert line.link.entries


def test_a_book_that_is_never_whole_ends_the_link_and_the_next_one_is_tried():
    line = Line()
    line.whole = False
    line.run(40)

    assert line.all_of(CloseLink)
    assert len(line.all_of(OpenLink)) > 1
    assert any("positions" in text for text in line.pages())
    assert not any(one.entries for one in line.all_of(LinkChanged))


def test_a_refresh_looks_again_without_stopping_entries():
    line = ready()
    before = len(line.all_of(FetchBook))

    line.run(301)

    assert len(line.all_of(FetchBook)) == before + 1
    assert line.link.entries


def test_a_probe_nobody_answers_gives_up_even_an_adapter_that_says_nothing():
    line = ready()
    line.answers_probes = False

    line.run(41)

    assert line.all_of(CloseLink)[-1].reason == "a probe was never answered"
    assert line.actor.state.epoch == 2


def test_a_restarted_actor_trusts_no_link_and_makes_the_next_one():
    before = ready().actor.state

    line = Line(resumed_from=before)

    assert line.all_of(OpenLink) == [OpenLink(epoch=2)]
    assert not any(one.entries for one in line.all_of(LinkChanged))


def test_after_quiesce_nothing_is_ordered_any_more():
    line = ready()
    line.hear(Quiesce())
    line.said.clear()

    line.lose()
    line.run(600)

    assert line.timers == {}
    assert line.said == []


@pytest.mark.parametrize(
    "late",
    [
        LinkLost(epoch=1, trouble=LinkTrouble.CLOSED_BY_US, words=""),
        LinkOpened(epoch=1, server_version=178, accounts=("DU1",)),
        BrokerNoticed(epoch=1, code=1100, words=""),
        DecodingFailed(epoch=1, words=""),
        book(1, 2, missing=("positions",)),
        judged(1, 2, agreed=False),
    ],
)
def test_what_an_older_link_still_says_changes_nothing(late):
    line = ready()
    line.lose()
    line.run(12)
    assert line.link == LinkChanged(
        epoch=2, state=LinkState.READY, entries=True, why="the broker's book is ours"
    )

    assert line.hear(late) == ()


def test_n07_entries_wait_from_a_minute_before_the_night_until_it_is_over():
    line = ready(now=new_york_ns(dt.date(2026, 3, 3), dt.time(23, 40)))

    line.to(dt.time(23, 43, 59))
    assert line.link.entries
    line.to(dt.time(23, 44, 1))
    assert (line.link.state, line.link.entries) == (LinkState.READY, False)
    line.to(dt.time(0, 45, 1), day=dt.date(2026, 3, 4))

    assert line.link.entries


def test_n07_a_link_lost_in_the_night_wakes_nobody_unless_it_is_overdue_in_the_morning():
    line = ready(now=new_york_ns(dt.date(2026, 3, 3), dt.time(23, 40)))
    line.to(dt.time(23, 50))
    line.reachable = False
    line.lose()

    line.to(dt.time(0, 54), day=dt.date(2026, 3, 4))
    assert line.pages() == []
    line.to(dt.time(1, 0), day=dt.date(2026, 3, 4))

    assert ["too long" in text for text in line.pages()] == [True]


def test_n07_a_link_that_is_back_after_the_night_wakes_nobody():
    line = ready(now=new_york_ns(dt.date(2026, 3, 3), dt.time(23, 40)))
    line.to(dt.time(23, 50))
    line.reachable = False
    line.lose()
    line.to(dt.time(0, 20), day=dt.date(2026, 3, 4))
    line.reachable = True

    line.to(dt.time(3), day=dt.date(2026, 3, 4))

    assert line.pages() == []
    assert line.link.entries


def test_an_outage_is_told_after_two_minutes_of_attempts_and_then_every_quarter_of_an_hour():
    line = ready()
    line.reachable = False
    line.lose()

    line.run(119)
    assert line.pages() == []
    line.run(5)
    assert len(line.pages()) == 1
    line.run(3600)

    assert len(line.pages()) in (4, 5)
    assert len(line.all_of(OpenLink)) > 10


def test_attempts_in_vain_come_further_and_further_apart_but_never_end():
    rules = msgspec.structs.replace(
        SLOW, backoff=msgspec.structs.replace(SLOW.backoff, min_ns=S, max_ns=30 * S)
    )
    line = ready(rules=rules)
    line.reachable = False
    line.lose()
    line.run(600)

    at = [moment for moment, one in line.said if isinstance(one, OpenLink)][1:]
    gaps = [later - earlier for earlier, later in itertools.pairwise(at)]
    assert gaps[:4] == sorted(gaps[:4])
    assert max(gaps) <= 36 * S
    assert gaps[-1] >= 30 * S


def test_n13_a_taken_client_id_is_told_once_and_tried_again_slowly_with_no_other_id():
    line = Line(reachable=None)

    for _ in range(5):
        line.lose(LinkTrouble.CLIENT_ID_TAKEN)
        assert line.link.state is LinkState.REFUSED
        line.run(61)

    assert len(line.pages()) == 1
    opened = [moment for moment, one in line.said if isinstance(one, OpenLink)]
    assert len(opened) > 4
    assert min(later - at for at, later in itertools.pairwise(opened)) >= 60 * S


def test_a_page_never_shows_a_whole_account_number():
    actor = Connection(rules=SLOW)
    actor.receive(Begin(incarnation=1, resumed=False), NOON)

    said = actor.receive(LinkOpened(epoch=1, server_version=178, accounts=("U7654321",)), NOON)

    (page,) = (one for one in said if isinstance(one, NotifyPerson))
    assert "7654321" not in page.text
    assert any(isinstance(one, CloseLink) for one in said)
    assert actor.state.state is LinkState.REFUSED


@given(
    st.lists(
        st.one_of(
            st.sampled_from((1100, 1101, 1102, 10197, 2110, 100)),
            st.sampled_from(("lose", "garbage", "doubt", "refresh", "objects", "agrees")),
            st.sampled_from(("unreachable", "reachable", "partial", "whole")),
            st.integers(1, 400).map(float),
        ),
        max_size=40,
    )
)
def test_whatever_happens_entries_rest_only_on_an_agreed_book_and_the_desk_gets_well(sequence):
    line = Line()
    for one in sequence:
        _befall(line, one)
        _stays_honest(line)
    line.reachable = line.whole = line.agrees = True
    line.hear(BrokerNoticed(epoch=line.actor.state.epoch, code=1102, words="restored"))
    line.hear(
        BrokerNoticed(
            epoch=line.actor.state.epoch,
            code=2104,
            words="Market data farm connection is OK:usfarm",
        )
    )
    line.now = max(line.now, new_york_ns(dt.date(2026, 3, 5), dt.time(9)))

    line.run(200)

    assert line.link.entries
    _stays_honest(line)


def _befall(line, one):
    epoch = line.actor.state.epoch
    switches = {
        "unreachable": ("reachable", False),
        "reachable": ("reachable", True),
        "partial": ("whole", False),
        "whole": ("whole", True),
        "objects": ("agrees", False),
        "agrees": ("agrees", True),
    }
    if isinstance(one, float):
        line.run(int(one))
    elif isinstance(one, int):
        line.hear(BrokerNoticed(epoch=epoch, code=one, words="said"))
    elif one in switches:
        setattr(line, *switches[one])
    elif one == "lose":
        line.lose()
    elif one == "garbage":
        line.lose(LinkTrouble.GARBLED)
    elif one == "doubt":
        line.hear(DecodingFailed(epoch=epoch, words="?"))
    else:
        line.hear(RefreshBook(reason="due"))


def _stays_honest(line):
    state = line.actor.state
    link = line.link
    if link.entries:
        assert state.state is LinkState.READY
        assert state.rounds.agreed
    assert (link.state, link.epoch) == (state.state, state.epoch)
    epochs = [one.epoch for one in line.all_of(OpenLink)]
    assert epochs == list(range(1, len(epochs) + 1))
    if state.state in LIVE:
        assert "probe" in line.timers
    else:
        assert {"retry", "opening"} & set(line.timers)
