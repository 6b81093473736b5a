"""The risk section of the configuration: every limit of R1 to R16 with its default.

Decides what exists and what range is sane; `limits_of` turns it into what the rules read. Names are
the same, but for times: `_s` seconds here, nanoseconds there. Fractions are of net liquidation
value (NLV) unless their description says otherwise.
"""

from __future__ import annotations

from typing import Annotated, TypeAlias, TypeVar, get_type_hints

import msgspec
from msgspec import Meta

from thetawarden.config.underlyings import KnownConfig
from thetawarden.domain.instants import NS_PER_SECOND
from thetawarden.domain.risk.limits import AtMarginLimit, MarginModel, RiskLimits
from thetawarden.domain.risk.scenarios import OWN_PATTERN, scenario_in_words

L = TypeVar("L", bound=msgspec.Struct)

OwnScenario: TypeAlias = Annotated[
    str,
    Meta(
        max_length=100,
        pattern=OWN_PATTERN,
        title='scenarios such as "gap: index -7 %, VIX +12" or "calm crash: index -9 %, VIX x2"',
    ),
]


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Limits that belong together."""


class SizingConfig(Section, frozen=True, kw_only=True):
    """R1: what the market's state does to size and strike, beyond the regime's own factors."""

    regime_age_s_max: Annotated[
        float, Meta(ge=1, le=86400, description="A regime older than this allows no entry.")
    ] = 900.0
    short_delta_per_share_max: Annotated[
        float, Meta(ge=0, le=1, description="Largest delta of a sold option in a normal market.")
    ] = 0.30
    index_short_delta_per_share_max: Annotated[
        float, Meta(ge=0, le=1, description="The same for options on a broad index or its fund.")
    ] = 0.10
    marginal_premium_fraction: Annotated[
        float, Meta(ge=0, le=1, description="Premium over margin below this is skipped below 12.")
    ] = 0.004


class GreeksConfig(Section, frozen=True, kw_only=True):
    """R2: what small moves may cost the whole book, the candidate in it."""

    index_drop_warn_fraction: Annotated[
        float, Meta(ge=0, le=1, description="Cost of an index move of 1 % that is told.")
    ] = 0.001
    index_drop_max_fraction: Annotated[
        float, Meta(ge=0, le=1, description="Cost of an index move of 1 % that is not exceeded.")
    ] = 0.003
    theta_min_fraction: Annotated[
        float, Meta(ge=0, le=1, description="Theta of a day that is aimed at; told, no limit.")
    ] = 0.001
    theta_max_fraction: Annotated[
        float, Meta(ge=0, le=1, description="Theta of a day; more is sold too much.")
    ] = 0.005
    vega_max_fraction: Annotated[
        float, Meta(ge=0, le=1, description="Cost of one VIX point more.")
    ] = 0.005
    gamma_max_fraction: Annotated[
        float, Meta(ge=0, le=1, description="Cost of an index move of 1 % by gamma alone.")
    ] = 0.002
    notional_warn_nlv: Annotated[
        float, Meta(ge=0, le=100, description="Controlled notional that is told, times NLV.")
    ] = 3.0
    notional_max_nlv: Annotated[
        float, Meta(ge=0, le=100, description="Controlled notional at most, times NLV.")
    ] = 5.0
    theta_per_index_delta_min_usd: Annotated[
        float,
        Meta(ge=0, le=1e6, description="Theta of a day for each index share of exposure; 0: any."),
    ] = 0.0
    entry_fill_fraction: Annotated[
        float,
        Meta(ge=0, le=1, description="Part of these limits that entries fill, but for notional."),
    ] = 0.75
    reduce_from_fraction: Annotated[
        float,
        Meta(ge=0, le=1, description="Part of these limits from which reduction is demanded."),
    ] = 0.9


class MarginConfig(Section, frozen=True, kw_only=True):
    """R3 and R4: margin now, by the broker's answer, and after -10 % with the VIX doubled."""

    utilisation_target_fraction: Annotated[
        float, Meta(ge=0, le=1, description="Margin in use that is told when exceeded.")
    ] = 0.50
    utilisation_max_fraction: Annotated[
        float, Meta(ge=0, le=1, description="Margin in use at most.")
    ] = 0.60
    excess_liquidity_min_fraction: Annotated[
        float, Meta(ge=0, le=1, description="Excess liquidity that always stays.")
    ] = 0.20
    per_trade_max_fraction: Annotated[
        float, Meta(ge=0, le=1, description="Margin of one trade at most.")
    ] = 0.10
    auto_select_max_fraction: Annotated[
        float, Meta(ge=0, le=1, description="Margin of all that was selected automatically.")
    ] = 0.20
    stressed_utilisation_max_fraction: Annotated[
        float, Meta(ge=0, le=10, description="Margin in use after the shock, of the NLV left then.")
    ] = 0.80
    answer_age_s_max: Annotated[
        float, Meta(ge=1, le=3600, description="An older margin answer counts as none.")
    ] = 60.0
    account_age_s_max: Annotated[
        float, Meta(ge=1, le=3600, description="Older account figures count as none.")
    ] = 180.0
    model: Annotated[
        MarginModel, Meta(description="What projects margin: strategy (Reg T) or risk (portfolio).")
    ] = MarginModel.STRATEGY


class BrakesConfig(Section, frozen=True, kw_only=True):
    """R5: losses at which the desk tells, slows down and stops."""

    day_loss_fraction: Annotated[
        float, Meta(ge=0, le=1, description="Loss of a day that halts; three quarters: no entry.")
    ] = 0.02
    week_loss_fraction: Annotated[
        float, Meta(ge=0, le=1, description="Loss of a calendar week that halts.")
    ] = 0.05
    month_loss_fraction: Annotated[
        float, Meta(ge=0, le=1, description="Loss of a calendar month that halts.")
    ] = 0.08
    drawdown_fraction: Annotated[
        float, Meta(ge=0, le=1, description="Loss from the peak that halts for a person's review.")
    ] = 0.10
    warn_from_fraction: Annotated[
        float, Meta(ge=0, le=1, description="Part of a loss limit from which it is told.")
    ] = 0.50
    margin_warn_from_fraction: Annotated[
        float, Meta(ge=0, le=1, description="Part of the margin limit from which it is told.")
    ] = 0.75
    slow_from_fraction: Annotated[
        float, Meta(ge=0, le=1, description="Part of any limit from which sizes shrink.")
    ] = 0.75
    slow_size_fraction: Annotated[
        float, Meta(ge=0, le=1, description="Size left then, for each limit that is so near.")
    ] = 0.50
    streak_slow_losses_max: Annotated[
        int, Meta(ge=1, le=1000, description="So many losing trades in a row shrink sizes.")
    ] = 4
    streak_pause_losses_max: Annotated[
        int, Meta(ge=1, le=1000, description="So many end the entries of that day.")
    ] = 6
    at_margin_limit: Annotated[
        AtMarginLimit, Meta(description="What margin at its limit does: latch, or pass with it.")
    ] = AtMarginLimit.HALT


class StressConfig(Section, frozen=True, kw_only=True):
    """R6: the scenarios a book is revalued in, and what they may cost."""

    entry_loss_fraction: Annotated[
        float, Meta(ge=0, le=1, description="Loss in any scenario that no entry may bring about.")
    ] = 0.15
    reduce_loss_fraction: Annotated[
        float, Meta(ge=0, le=1, description="Loss in any scenario that must be reduced.")
    ] = 0.20
    age_s_max: Annotated[
        float, Meta(ge=1, le=3600, description="An older revaluation allows no entry.")
    ] = 60.0
    own: Annotated[
        tuple[OwnScenario, ...],
        Meta(
            max_length=20,
            title='texts such as "gap: index -7 %, VIX +12" or "fear: index -9 %, VIX x2"',
            description="Scenarios of your own, beside the standard six.",
        ),
    ] = ()
    map_spot_fraction: Annotated[
        float, Meta(ge=0.01, le=0.9, description="How far the heat map moves the index.")
    ] = 0.20
    map_vix_points: Annotated[
        float, Meta(ge=1, le=200, description="How far the heat map raises the VIX.")
    ] = 40.0


class ExpiryConfig(Section, frozen=True, kw_only=True):
    """R7: how much of the book may end together."""

    per_date_max_fraction: Annotated[
        float, Meta(ge=0, le=1, description="Of positions, and of margin, on one date.")
    ] = 0.40
    per_bucket_max_fraction: Annotated[
        float, Meta(ge=0, le=1, description="Of both within 0-3, 4-7, 8-14, 15 and more days.")
    ] = 0.40
    exempt_positions_max: Annotated[
        int, Meta(ge=0, le=1000, description="Books of up to so many positions are exempt.")
    ] = 4


class RecoveryConfig(Section, frozen=True, kw_only=True):
    """R8: the way back after a drawdown halt."""

    pause_weeks: Annotated[int, Meta(ge=0, le=52, description="Weeks without any entry.")] = 2
    half_until_weeks: Annotated[
        int, Meta(ge=0, le=104, description="Half size to this week, and until it was profitable.")
    ] = 4
    most_until_weeks: Annotated[
        int, Meta(ge=0, le=208, description="Most of the size to this week, and until recovered.")
    ] = 8
    half_size_fraction: Annotated[
        float, Meta(ge=0, le=1, description="Of size and of positions in the first phase.")
    ] = 0.50
    most_size_fraction: Annotated[
        float, Meta(ge=0, le=1, description="Of size and of positions in the second phase.")
    ] = 0.75
    recovered_fraction: Annotated[
        float, Meta(ge=0, le=1, description="Part of the drawdown that must be won back.")
    ] = 0.50
    drawdown_factor_min_fraction: Annotated[
        float, Meta(ge=0, le=1, description="Least size that the drawdown's depth leaves.")
    ] = 0.25


class ConcentrationConfig(Section, frozen=True, kw_only=True):
    """R10: how much may hang on one name, sector and order."""

    name_warn_fraction: Annotated[
        float, Meta(ge=0, le=10, description="What one name could lose by expiry: told.")
    ] = 0.05
    name_max_fraction: Annotated[
        float, Meta(ge=0, le=10, description="What one name could lose by expiry: at most.")
    ] = 0.10
    sector_underlyings_max: Annotated[
        int, Meta(ge=0, le=1000, description="Underlyings of one sector.")
    ] = 5
    positions_max: Annotated[
        int, Meta(ge=0, le=10_000, description="Positions in a normal market; VIX lowers it.")
    ] = 20
    order_contracts_max: Annotated[
        int, Meta(ge=0, le=10_000, description="Contracts of one leg in one order.")
    ] = 10
    same_entry_s: Annotated[
        float, Meta(ge=0, le=86400, description="The same thing is not entered twice within this.")
    ] = 300.0


class OrdersConfig(Section, frozen=True, kw_only=True):
    """R12: what an order must look like, and how many there may be."""

    collar_fraction: Annotated[
        float, Meta(ge=0, le=1, description="An entry's price may be worse than mid by this.")
    ] = 0.10
    collar_min_usd: Annotated[
        float, Meta(ge=0, le=100, description="Or by this much a share, where that is more.")
    ] = 0.05
    reducing_collar_fraction: Annotated[
        float, Meta(ge=0, le=10, description="The same for an order that reduces risk.")
    ] = 0.50
    spread_max_fraction: Annotated[
        float, Meta(ge=0, le=2, description="Widest quote, of its mid, that is entered on.")
    ] = 0.25
    spread_fine_usd: Annotated[
        float, Meta(ge=0, le=100, description="A quote no wider than this is always fine.")
    ] = 0.10
    quote_age_s_max: Annotated[
        float, Meta(ge=0.1, le=600, description="An older quote allows no entry.")
    ] = 15.0
    order_value_max_usd: Annotated[
        float, Meta(ge=0, le=1e9, description="Price times shares of one order.")
    ] = 100_000.0
    entries_per_minute_max: Annotated[
        int, Meta(ge=0, le=1000, description="Entries within any minute.")
    ] = 10
    orders_per_minute_max: Annotated[
        int, Meta(ge=0, le=1000, description="Orders of any kind within any minute.")
    ] = 60
    cancels_per_minute_max: Annotated[
        int, Meta(ge=0, le=1000, description="So many cancels within a minute stop entries.")
    ] = 60
    entries_per_strategy_max: Annotated[
        int, Meta(ge=0, le=10_000, description="Entries a session; then a person must unlock.")
    ] = 40
    duplicate_s: Annotated[
        float, Meta(ge=0, le=3600, description="The very same order is not sent twice within this.")
    ] = 5.0
    approval_s: Annotated[
        float, Meta(ge=0.1, le=600, description="How long an approval may wait to be used.")
    ] = 15.0


class HaltConfig(Section, frozen=True, kw_only=True):
    """R13: what a halted desk still does."""

    reduce_when_halted: Annotated[
        bool, Meta(description="Let orders that are proved to reduce risk through a halt.")
    ] = True


class BookConfig(Section, frozen=True, kw_only=True):
    """R14: the book that decisions rest on."""

    age_s_max: Annotated[
        float, Meta(ge=1, le=600, description="An older book allows no entry.")
    ] = 60.0


class DefinedRiskConfig(Section, frozen=True, kw_only=True):
    """R15: from where on nothing naked is sold."""

    vix_max_points: Annotated[
        float, Meta(ge=0, le=200, description="VIX above this: spreads only.")
    ] = 25.0
    notional_max_nlv: Annotated[
        float, Meta(ge=0, le=100, description="Notional above this, times NLV: spreads only.")
    ] = 3.0
    margin_near_fraction: Annotated[
        float, Meta(ge=0, le=1, description="From this part of the margin limit: spreads only.")
    ] = 0.75


class RealMoneyConfig(Section, frozen=True, kw_only=True):
    """R16: what real money asks for, beside mode live and the account spelled twice."""

    readiness_min_points: Annotated[
        float, Meta(ge=0, le=100, description="Readiness score, unless a person overrides it.")
    ] = 60.0


class RiskConfig(Section, frozen=True, kw_only=True):
    """Every limit of the risk governor; fractions are of net liquidation value."""

    sizing: SizingConfig = SizingConfig()
    greeks: GreeksConfig = GreeksConfig()
    margin: MarginConfig = MarginConfig()
    brakes: BrakesConfig = BrakesConfig()
    stress: StressConfig = StressConfig()
    expiry: ExpiryConfig = ExpiryConfig()
    recovery: RecoveryConfig = RecoveryConfig()
    concentration: ConcentrationConfig = ConcentrationConfig()
    orders: OrdersConfig = OrdersConfig()
    halt: HaltConfig = HaltConfig()
    book: BookConfig = BookConfig()
    defined_risk: DefinedRiskConfig = DefinedRiskConfig()
    live: RealMoneyConfig = RealMoneyConfig()
    known: KnownConfig = KnownConfig()


def limits_of(config: RiskConfig) -> RiskLimits:
    """Return the limits as the rules read them."""
    groups = get_type_hints(RiskLimits)
    return RiskLimits(
        **{name: _group(getattr(config, name), kind) for name, kind in groups.items()}
    )


def on_fast_market(limits: RiskLimits, *, speed: float) -> RiskLimits:
    """Return the limits where market time runs faster than the machine's.

    How old a thing may be is told in what the desk needs to learn of it, and that is machine time.
    """
    factor = max(speed, 1.0)

    def older(group: L, *names: str) -> L:
        changed = {name: round(getattr(group, name) * factor) for name in names}
        return msgspec.structs.replace(group, **changed)

    return msgspec.structs.replace(
        limits,
        sizing=older(limits.sizing, "regime_age_ns_max"),
        margin=older(limits.margin, "answer_age_ns_max", "account_age_ns_max"),
        stress=older(limits.stress, "age_ns_max"),
        orders=older(limits.orders, "quote_age_ns_max", "approval_ns"),
        book=older(limits.book, "age_ns_max"),
    )


def _group(section: Section, kind: type[L]) -> L:
    """One group: seconds become nanoseconds, words become scenarios, the rest stays."""
    found: dict[str, object] = {}
    for name in kind.__struct_fields__:
        if "_ns" in name:
            seconds = getattr(section, name.replace("_ns", "_s"))
            found[name] = round(seconds * NS_PER_SECOND)
        elif name == "own":
            found[name] = tuple(scenario_in_words(words) for words in getattr(section, name))
        else:
            found[name] = getattr(section, name)
    return kind(**found)
