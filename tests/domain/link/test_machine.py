"""The table of the link: what may never follow from what, whatever the order of events."""

from hypothesis import given
from hypothesis import strategies as st

from thetawarden.domain.link.machine import LIVE, TABLE, LinkDuty, LinkEvent, diagram, step
from thetawarden.domain.link.states import LinkState

events = st.sampled_from(LinkEvent)


def walk(sequence, state=LinkState.DOWN):
    for event in sequence:
        before, after = state, step(state, event)
        state = after.state
        yield before, event, after


@given(st.lists(events, max_size=60))
def test_ready_is_only_entered_by_an_agreed_book(sequence):
    for before, event, after in walk(sequence):
        if after.state is LinkState.READY and before is not LinkState.READY:
            assert (before, event) == (LinkState.SYNCING, LinkEvent.AGREED)


@given(st.lists(events, max_size=60))
def test_between_two_links_lies_an_order_to_open(sequence):
    opened = 0
    for before, _event, after in walk(sequence):
        if LinkDuty.OPEN in after.duties:
            opened += 1
            assert before in (LinkState.DOWN, LinkState.REFUSED)
        if after.state in LIVE:
            assert opened > 0


@given(st.lists(events, max_size=60))
def test_no_dead_end_every_way_out_of_a_link_leads_to_another_attempt(sequence):
    retrying = (LinkDuty.RETRY, LinkDuty.RETRY_SLOWLY, LinkDuty.TRY_NOW)
    for before, _event, after in walk(sequence):
        away = (LinkState.DOWN, LinkState.REFUSED)
        if before not in away and after.state in away:
            assert any(duty in after.duties for duty in retrying)


def test_a_loss_ends_every_state_that_has_a_link():
    for state in {*LIVE, LinkState.CONNECTING}:
        assert step(state, LinkEvent.LOST).state is LinkState.DOWN


def test_a_link_in_doubt_is_synced_before_it_is_ready_again():
    for event in (LinkEvent.DOUBTED, LinkEvent.RESTORED, LinkEvent.DIFFERED):
        assert step(LinkState.READY, event).state is LinkState.SYNCING
    for event in (LinkEvent.RESTORED, LinkEvent.DOUBTED):
        assert LinkDuty.FETCH in step(LinkState.READY, event).duties


def test_whatever_is_lost_with_1101_is_made_anew():
    for state in LIVE:
        after = step(state, LinkEvent.EMPTIED)
        assert after.state is LinkState.DOWN
        assert after.duties == (LinkDuty.CLOSE, LinkDuty.TRY_NOW)


def test_a_taken_session_pages_and_is_looked_at_again_without_a_new_link():
    after = step(LinkState.READY, LinkEvent.COMPETED)

    assert after.state is LinkState.COMPETING
    assert LinkDuty.PAGE in after.duties
    assert not {LinkDuty.OPEN, LinkDuty.CLOSE, LinkDuty.RETRY} & set(after.duties)


def test_an_event_that_means_nothing_here_changes_nothing():
    assert step(LinkState.DOWN, LinkEvent.AGREED).state is LinkState.DOWN
    assert step(LinkState.CUT_OFF, LinkEvent.AGREED).state is LinkState.CUT_OFF
    assert step(LinkState.CUT_OFF, LinkEvent.AGREED).duties == ()


def test_every_state_and_event_of_the_table_is_drawn():
    drawn = diagram()

    assert drawn.count(" --> ") == len(TABLE) + 1
    assert all(str(state) in drawn for state in LinkState)
    assert all(str(event) in drawn for event in LinkEvent)
