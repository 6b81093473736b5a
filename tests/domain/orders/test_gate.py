import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thetawarden.domain.halt import HaltRecord
from thetawarden.domain.instants import UnixNs
from thetawarden.domain.orders.gate import SIGN_OF_LIFE_NS_MAX, GateSeen, refusal
from thetawarden.domain.orders.intent import Gate, Withheld

S = 10**9
NOW = UnixNs(1_000_000 * S)
GATE = Gate(
    approval_key="a-1",
    halt_epoch=2,
    expires_ns=UnixNs(NOW + S),
    quoted_ns=UnixNs(NOW - S),
    quote_age_ns_max=2 * S,
)
SEEN = GateSeen(
    now_ns=NOW,
    link_epoch=5,
    idle_ns=0,
    halt=None,
    halt_epoch=2,
    exits_frozen=False,
    taken_back=False,
    sent_before=False,
    let_out=3,
    placed=3,
    not_live=(),
)
HALT = HaltRecord(epoch=2, reason="for a test", by="test", at_ns=UnixNs(1))
FAULTS = {
    Withheld.TAKEN_BACK: {"taken_back": True},
    Withheld.SENT_ALREADY: {"sent_before": True},
    Withheld.MORE_THAN_INTENDED: {"placed": 4},
    Withheld.NO_LINK: {"link_epoch": 6},
    Withheld.HALTED: {"halt": HALT},
    Withheld.OTHER_EPOCH: {"halt_epoch": 3},
    Withheld.EXPIRED: {"now_ns": UnixNs(NOW + S)},
    Withheld.QUOTES_TOO_OLD: {"now_ns": UnixNs(NOW - 4 * S)},
    Withheld.NOT_LIVE: {"not_live": (7,)},
    Withheld.LINK_MUTE: {"idle_ns": SIGN_OF_LIFE_NS_MAX + 1},
}


def judge(*, reducing=False, gate=GATE, **seen):
    return refusal(
        gate=gate, epoch=5, reducing=reducing, seen=msgspec.structs.replace(SEEN, **seen)
    )


def test_an_order_leaves_when_nothing_is_wrong():
    assert judge() is None


@pytest.mark.parametrize("why", FAULTS, ids=str)
def test_each_fault_alone_keeps_an_order_back_and_says_what_was_found(why):
    refused = judge(**FAULTS[why])

    assert refused.why is why
    assert refused.words


def test_an_order_that_rests_on_no_quote_leaves_on_delayed_data():
    gate = msgspec.structs.replace(GATE, quoted_ns=UnixNs(0))

    assert judge(gate=gate, not_live=(7,)) is None


@given(st.sets(st.sampled_from(sorted(FAULTS)), min_size=1), st.booleans())
def test_no_set_of_faults_lets_an_order_out_but_brakes_on_what_only_reduces(faults, reducing):
    seen = {}
    for why in sorted(faults):
        seen |= FAULTS[why]
    brakes = {Withheld.HALTED, Withheld.OTHER_EPOCH}

    refused = judge(reducing=reducing, **seen)

    assert (refused is None) == (reducing and faults <= brakes)
    assert refused is None or refused.why in faults


def test_frozen_exits_keep_back_what_reduces_only_while_halted():
    assert judge(reducing=True, exits_frozen=True) is None
    assert judge(reducing=True, exits_frozen=True, halt=HALT).why is Withheld.HALTED


def test_no_link_at_all_keeps_an_order_back():
    assert judge(link_epoch=None).why is Withheld.NO_LINK


def test_a_process_that_was_told_of_no_halt_takes_the_approvals_word_for_the_epoch():
    assert judge(halt_epoch=None) is None


@given(st.integers(0, 10 * S))
def test_a_quote_is_too_old_or_too_far_ahead_just_beyond_its_bound(away_ns):
    for sign in (1, -1):
        gate = msgspec.structs.replace(GATE, quoted_ns=UnixNs(NOW - sign * away_ns))
        refused = judge(gate=gate)
        assert (refused is not None) == (away_ns > GATE.quote_age_ns_max)


def test_an_order_that_rests_on_no_quote_does_not_age():
    gate = msgspec.structs.replace(GATE, quoted_ns=UnixNs(0), quote_age_ns_max=0)

    assert judge(gate=gate) is None


def test_fewer_at_the_socket_than_let_out_is_as_wrong_as_more():
    assert judge(placed=2).why is Withheld.MORE_THAN_INTENDED
