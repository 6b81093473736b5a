"""R13: what the desk's state allows: everything, only what reduces risk, or nothing."""

from __future__ import annotations

from thetawarden.domain.halt import TradingState
from thetawarden.domain.risk.case import Case
from thetawarden.domain.risk.finding import Check, RuleFinding, RuleId, given
from thetawarden.domain.risk.rule import Rule

_STATE = Check(rule=RuleId.R13, name="trading_state")
_FROZEN = Check(rule=RuleId.R13, name="frozen", sanity=True)


def judge(case: Case) -> tuple[RuleFinding, ...]:
    """Return whether entries, and whether exits, are possible in this state."""
    posture = case.desk.posture
    state = posture.state
    inputs = given(state=state.value, halt_epoch=float(posture.latch.epoch))
    if state is TradingState.RUNNING:
        entries = _STATE.passes("trading runs", inputs=inputs)
    else:
        words = f"trading is {state.value} ({posture.why}): only what reduces risk"
        entries = _STATE.refuses(words, inputs=inputs)
    exits_stop = posture.frozen or not case.limits.halt.reduce_when_halted
    if state is TradingState.HALTED and exits_stop:
        return (entries, _FROZEN.refuses("a person chose to halt exits as well", inputs=inputs))
    return (entries, _FROZEN.passes("what reduces risk may be sent", inputs=inputs))


RULE = Rule(
    id=RuleId.R13,
    does=(
        "refuses entries while cautious or halted; refuses exits too where a person has chosen so"
    ),
    reads=("latch and cautions",),
    limits="halt",
    exits=("frozen",),
    judge=judge,
)
