"""S2: puts on a stock that rises, at least a tenth out of the money, clear of earnings."""

from __future__ import annotations

from thetawarden.domain.market.events import EarningsRisk
from thetawarden.domain.strategy.candidate import Candidate, Reason
from thetawarden.domain.strategy.criteria import passes, refuses
from thetawarden.domain.strategy.puts import every_expiry, short_put
from thetawarden.domain.strategy.scene import Scene
from thetawarden.domain.strategy.settings import StrategySettings, Terms
from thetawarden.domain.strategy.strategy import Found, Strategy

NAME = "stock_puts"


def find(scene: Scene, terms: Terms, settings: StrategySettings) -> tuple[Found, ...]:
    """Return the put of every expiry; the scores prefer the shortest."""
    return every_expiry(
        scene,
        terms,
        strategy=NAME,
        look=lambda series: short_put(
            scene,
            series,
            strategy=NAME,
            rule="S2",
            terms=terms,
            settings=settings,
            more=company_reasons,
        ),
    )


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
    known = {} if scene.company is None else scene.company.earnings
    risk = known.get(candidate.expiry, EarningsRisk.UNKNOWN)
    if risk is EarningsRisk.CLEAR:
        return passes("G6", "earnings", f"no report until {candidate.expiry}")
    if risk is EarningsRisk.REPORTS:
        return refuses("G6", "earnings", f"{scene.underlying} reports by {candidate.expiry}")
    return refuses("G6", "earnings", f"when {scene.underlying} reports is not known")


STRATEGY = Strategy(
    name=NAME,
    does="sells a put on a rising stock, a tenth or more out of the money, clear of earnings",
    defined_risk=False,
    find=find,
)
