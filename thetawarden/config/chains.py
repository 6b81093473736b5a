"""Every number of watching chains that a person may set.

Deltas are absolute and per share, fractions of the mid or of the spot. Durations are seconds of the
machine, except where they say of the market.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

Symbol = Annotated[
    str,
    Meta(pattern=r"^[A-Z][A-Z0-9 .]{0,11}$", title='a symbol such as "SPX"'),
]


def _days(words: str) -> Meta:
    return Meta(ge=0, le=400, description=words)


def _seconds(words: str) -> Meta:
    return Meta(ge=0.05, le=86_400, description=words)


class ExpiriesConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which expiries are watched, by calendar days to go: a near window and a far one."""

    near_days_max: Annotated[int, _days("The near window reaches from today to so many days.")] = 7
    near_min: Annotated[
        int, Meta(ge=0, le=20, description="With fewer expiries the near window reaches on.")
    ] = 1
    near_max: Annotated[int, Meta(ge=0, le=20, description="Expiries of the near window.")] = 5
    far_days_min: Annotated[int, _days("The far window begins so many days away.")] = 25
    far_days_max: Annotated[int, _days("The far window ends so many days away.")] = 35
    far_max: Annotated[int, Meta(ge=0, le=20, description="Expiries of the far window.")] = 1


SHARE_EXPIRIES = ExpiriesConfig(
    near_days_max=10, near_min=2, near_max=2, far_days_min=21, far_days_max=35, far_max=1
)


class StrikesConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which strikes are watched around the spot."""

    delta_min: Annotated[
        float, Meta(ge=0.0001, le=0.5, description="Out to this delta on both sides.")
    ] = 0.02
    otm_week_fraction: Annotated[
        float,
        Meta(
            ge=0.001, le=0.9, description="Before there is a smile: so far from spot, for a week."
        ),
    ] = 0.05
    count_min: Annotated[
        int, Meta(ge=1, le=500, description="With fewer on a side the window widens by itself.")
    ] = 8
    count_max: Annotated[
        int, Meta(ge=5, le=2000, description="With more of an expiry they are thinned out.")
    ] = 40
    put_delta: Annotated[
        float, Meta(ge=0.001, le=0.5, description="Puts next to this delta are streamed.")
    ] = 0.065
    call_delta: Annotated[
        float, Meta(ge=0.001, le=0.5, description="Calls next to this delta are streamed.")
    ] = 0.03
    puts_max: Annotated[int, Meta(ge=0, le=50, description="Puts streamed of an expiry.")] = 3
    calls_max: Annotated[int, Meta(ge=0, le=50, description="Calls streamed of an expiry.")] = 0
    expiries_max: Annotated[
        int, Meta(ge=0, le=20, description="Nearest expiries of which any are streamed.")
    ] = 3


class QuotesConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a quote may be used."""

    age_s_max: Annotated[
        float, _seconds("An option's quote may be so old, beyond the time it is refreshed in.")
    ] = 60.0
    spot_age_s_max: Annotated[float, _seconds("The underlying's price may be so old.")] = 30.0
    spread_fraction_max: Annotated[
        float, Meta(ge=0.01, le=2, description="The widest usable spread, of the mid.")
    ] = 0.5
    spread_fine_usd: Annotated[
        float, Meta(ge=0, le=10, description="A spread up to this is usable whatever the mid.")
    ] = 0.10
    crossed_grace_s: Annotated[
        float, _seconds("A crossed or locked quote is borne so long on the prices before.")
    ] = 1.0
    jump_fraction: Annotated[
        float, Meta(ge=0.01, le=10, description="An unexplained jump, of an option's price.")
    ] = 0.12
    spot_jump_fraction: Annotated[
        float, Meta(ge=0.001, le=1, description="A jump of the underlying, of its price.")
    ] = 0.02
    confirmations_min: Annotated[
        int, Meta(ge=1, le=100, description="Further quotes that make a jump believed.")
    ] = 2
    frozen_widths_min: Annotated[
        float,
        Meta(ge=0.5, le=100, description="Frozen: the underlying's move is worth so many spreads."),
    ] = 3.0
    iv_difference_fraction: Annotated[
        float, Meta(ge=0.01, le=10, description="The broker's volatility may differ so much.")
    ] = 0.35
    delta_difference_max: Annotated[
        float, Meta(ge=0.001, le=1, description="The broker's delta may differ so much.")
    ] = 0.10


class CadenceConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How often what is done."""

    view_s: Annotated[float, _seconds("Between two views; after quiet one comes at once.")] = 2.0
    fit_s: Annotated[float, _seconds("Between two fits of European chains, at least.")] = 5.0
    fit_american_s: Annotated[float, _seconds("Between two fits of American chains, at least.")] = (
        20.0
    )
    model_kept_s_max: Annotated[
        float,
        _seconds("What was read of an expiry stands for so long where it cannot be read anew."),
    ] = 300.0
    scan_s: Annotated[float, _seconds("What is not streamed is asked for again after this.")] = 60.0
    replan_s: Annotated[float, _seconds("Between two looks at the windows.")] = 30.0
    answer_s: Annotated[float, _seconds("The broker's time to answer about contracts.")] = 120.0
    complain_s: Annotated[float, _seconds("A chain not found for so long is told to a person.")] = (
        300.0
    )


class ChainsConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Chains of options: which are watched, how much of them, and which quotes are usable."""

    underlyings: Annotated[
        tuple[Symbol, ...],
        Meta(
            max_length=200,
            title="a list of symbols",
            description="Always watched; whatever is held is watched besides.",
        ),
    ] = ("SPX", "XSP", "SPY")
    rate_annual: Annotated[
        float, Meta(ge=-0.05, le=0.5, description="The interest rate believed beforehand.")
    ] = 0.04
    index: Annotated[ExpiriesConfig, Meta(description="Expiries of indices.")] = ExpiriesConfig()
    share: Annotated[ExpiriesConfig, Meta(description="Expiries of ETFs and shares.")] = (
        SHARE_EXPIRIES
    )
    strikes: StrikesConfig = StrikesConfig()
    quotes: QuotesConfig = QuotesConfig()
    cadence: CadenceConfig = CadenceConfig()
