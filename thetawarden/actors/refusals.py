"""What the steward does about a refusal: once more within the price that is allowed, or wait."""

from __future__ import annotations

import msgspec

from thetawarden.actors.stewarding import Pending, StewardState, ask, not_now, reopened
from thetawarden.domain.instants import NS_PER_MINUTE, UnixNs, new_york_date
from thetawarden.domain.managing.decision import Action, Rule
from thetawarden.domain.managing.limits import Ladder
from thetawarden.domain.managing.ordering import within_collar
from thetawarden.domain.risk.passing import is_half_seen, is_of_the_moment
from thetawarden.domain.trades.trade import HEDGE
from thetawarden.messages.operations import NotifyPerson, Urgency
from thetawarden.messages.orders import OrderRefused, ProposeOrder
from thetawarden.messages.steward import PositionDecided

REFUSED_WAIT_NS = 30 * NS_PER_MINUTE
_REARRANGING = frozenset({Action.ROLL, Action.REBALANCE})
_OPENING = frozenset({Action.COVER, Action.HEDGE})


def answer_refusal(
    state: StewardState, refused: OrderRefused, *, ladder: Ladder, now: UnixNs
) -> tuple[ProposeOrder | PositionDecided | NotifyPerson, ...]:
    """Ask again at once, give up, or tell a person and let some time pass.

    The governor's prices are of another instant than ours: an exit that only its price collar
    refuses is asked for once more at what it allows, and a person hears of the second refusal. Of
    what may well stay as it is a person hears once a day.
    """
    asked = state.pending.pop(refused.proposal.key, None)
    if asked is None:
        return ()
    reopened(state, asked.trade)
    if asked.action in _REARRANGING:
        not_now(state, asked, refused.review, ladder=ladder, now=now)
        return ()
    opening = asked.action in _OPENING or asked.rule is Rule.HEDGE_UNNEEDED  # it may well stay
    if not (opening or asked.again or state.quiet):
        again = _cheaper(state, asked, refused, ladder=ladder, now=now)
        if again:
            return again
    name = HEDGE if asked.action is Action.HEDGE else asked.trade
    review = refused.review
    soon = not opening or is_half_seen(review) or is_of_the_moment(review)
    state.waits[name] = now + (ladder.again_after_ns if soon else REFUSED_WAIT_NS)
    if opening and not _is_news(state, name, asked.action, now):
        return ()
    text = f"{asked.trade}: the governor lets nothing of {asked.action} through: {refused.words}"
    urgency = Urgency.NORMAL if opening else Urgency.CRITICAL
    return (NotifyPerson(urgency=urgency, topic=f"trade {asked.trade}", text=text),)


def _is_news(state: StewardState, name: str, action: Action, now: UnixNs) -> bool:
    """Whether that a trade stays as it is was not told today."""
    key, today = f"{name}/{action}", new_york_date(now)
    if new_york_date(UnixNs(state.told.get(key, 0))) == today:
        return False
    state.told[key] = now
    return True


def _cheaper(
    state: StewardState, asked: Pending, refused: OrderRefused, *, ladder: Ladder, now: UnixNs
) -> tuple[ProposeOrder | PositionDecided, ...]:
    order = within_collar(
        refused.proposal,
        refused.review,
        key=f"{asked.trade}/{asked.action}/{state.number + 1}",
        expires_ns=UnixNs(now + ladder.good_for_ns),
    )
    standing = state.decisions.get(asked.trade)
    if order is None or standing is None:
        return ()
    said = PositionDecided(
        decision=standing.decision,
        strategy=order.strategy,
        underlying=order.underlying,
        proposal_key=order.key,
        words=f"{order.worst_usd} at most, as the governor's prices allow",
    )
    asking = ask(state, order, action=asked.action, rule=asked.rule)
    state.pending[order.key] = msgspec.structs.replace(state.pending[order.key], again=True)
    return (said, asking)
