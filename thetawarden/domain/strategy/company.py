"""Says what speaks for and against selling on one company: its trend, and when it reports."""

from __future__ import annotations

from thetawarden.domain.market.events import EarningsRisk, earnings_risk
from thetawarden.domain.strategy.candidate import Candidate, Reason
from thetawarden.domain.strategy.criteria import passes, refuses
from thetawarden.domain.strategy.scene import Scene


def company_reasons(scene: Scene, candidate: Candidate) -> tuple[Reason, ...]:
    """Whether the stock rises, and whether it reports while the position would live."""
    return (judge_trend(scene), judge_earnings(scene, candidate))


def judge_trend(scene: Scene) -> Reason:
    """Price above its 20-day average above its 50-day average."""
    figures = scene.figures
    fast = None if figures is None else figures.ema20
    slow = None if figures is None else figures.ema50
    if fast is None or slow is None:
        return refuses("S2", "trend", f"the averages of {scene.underlying} are not known")
    words = f"price {scene.spot_usd:.2f}, EMA20 {fast:.2f}, EMA50 {slow:.2f}"
    if not scene.spot_usd > fast > slow:
        return refuses("S2", "trend", f"{words}: not rising", used=scene.spot_usd, limit=fast)
    return passes("S2", "trend", f"{words}: rising", used=scene.spot_usd, limit=fast)


def judge_earnings(scene: Scene, candidate: Candidate) -> Reason:
    """Unknown dates are no dates: nothing is sold on them."""
    risk = earnings_risk(entry_day=scene.today, expiry=candidate.expiry, calendar=scene.earnings)
    if risk is EarningsRisk.CLEAR:
        return passes("G6", "earnings", f"no report until {candidate.expiry}")
    if risk is EarningsRisk.REPORTS:
        return refuses("G6", "earnings", f"{scene.underlying} reports by {candidate.expiry}")
    return refuses("G6", "earnings", f"when {scene.underlying} reports is not known")
