"""The halt latch: closes for anybody, opens for exactly one epoch."""

from hypothesis import given
from hypothesis import strategies as st

from thetawarden.domain.halt import (
    HaltRecord,
    Latch,
    ResumeRefusal,
    TradingState,
    adopt_flag,
    close_latch,
    open_latch,
)

T0 = 1_700_000_000_000_000_000


def halted(latch=None, *, reason="stale data", by="watchdog", at=T0):
    return close_latch(latch or Latch(), reason=reason, by=by, at_ns=at)


def flag(epoch, reason="flag"):
    return HaltRecord(epoch=epoch, reason=reason, by="file", at_ns=T0)


def test_a_halt_says_who_why_and_when_and_raises_the_epoch():
    latch = halted()

    assert latch.state is TradingState.HALTED
    assert latch.halt == HaltRecord(epoch=1, reason="stale data", by="watchdog", at_ns=T0)


def test_a_second_halt_keeps_the_first_cause():
    assert halted(halted(), reason="another", by="person") == halted()


def test_only_the_epoch_in_force_can_be_resumed():
    latch = halted(open_latch(halted(), epoch=1, reason="looked into it"))

    assert open_latch(latch, epoch=1, reason="again") is ResumeRefusal.WRONG_EPOCH
    assert open_latch(latch, epoch=2, reason="again").state is TradingState.RUNNING


def test_a_resume_needs_a_halt_and_a_reason():
    assert open_latch(Latch(), epoch=0, reason="why not") is ResumeRefusal.NOT_HALTED
    assert open_latch(halted(), epoch=1, reason="  ") is ResumeRefusal.NO_REASON


def test_a_flag_unknown_to_the_latch_halts_with_a_fresh_epoch():
    running = open_latch(halted(), epoch=1, reason="fine")

    adopted = adopt_flag(running, flag(0, "touched by hand"))

    assert adopted.halt.reason == "touched by hand"
    assert adopted.epoch == 2


def test_a_flag_of_a_halt_that_was_lifted_is_not_believed_again():
    running = open_latch(halted(), epoch=1, reason="fine")

    assert adopt_flag(running, flag(1)) == running


def test_a_flag_from_a_log_that_knew_more_than_ours_halts():
    assert adopt_flag(Latch(), flag(7)).epoch == 7


actions = st.lists(
    st.one_of(
        st.tuples(st.just("halt"), st.text(max_size=3)),
        st.tuples(st.just("resume"), st.integers(0, 6)),
        st.tuples(st.just("flag"), st.integers(0, 6)),
    ),
    max_size=30,
)


@given(actions)
def test_whatever_happens_epochs_never_fall_and_only_the_current_one_resumes(happens):
    latch = Latch()

    for what, value in happens:
        before = latch
        if what == "halt":
            latch = close_latch(latch, reason=value, by="x", at_ns=T0)
            assert latch.halt is not None
        elif what == "flag":
            latch = adopt_flag(latch, flag(value))
            assert before.halt is None or latch.halt is not None
        else:
            opened = open_latch(latch, epoch=value, reason="r")
            latch = latch if isinstance(opened, ResumeRefusal) else opened
            assert (latch.halt is None) == (before.halt is None or value == before.epoch)
        assert latch.epoch >= before.epoch
        assert latch.halt is None or latch.halt.epoch == latch.epoch
