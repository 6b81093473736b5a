"""R1: what VIX, its term structure and the trend do to size, and how near a short may be sold.

Correlation is R9's and events are R11's, though they come with the same regime; the number of
positions is R10's. Unknown inputs have made the regime's factor zero already, and it says which.
"""

from __future__ import annotations

from thetawarden.domain.regime.factors import EntryPolicy, Factor
from thetawarden.domain.regime.factors import Rule as RegimeRule
from thetawarden.domain.regime.readings import InputFault
from thetawarden.domain.regime.vix_limits import DEFAULT_BANDS, VixBand
from thetawarden.domain.risk.case import Case, age_fault
from thetawarden.domain.risk.finding import Check, RuleFinding, RuleId, given, percent
from thetawarden.domain.risk.rule import Rule

_NORMAL_DELTA = next(band for band in DEFAULT_BANDS if band.band is VixBand.NORMAL)
_SEEN = Check(rule=RuleId.R1, name="regime")
_DELTA = Check(rule=RuleId.R1, name="short_delta")
_PREMIUM = Check(rule=RuleId.R1, name="marginal_premium")
_SIZES = (RegimeRule.VIX, RegimeRule.TERM_STRUCTURE, RegimeRule.TREND)


def judge(case: Case) -> tuple[RuleFinding, ...]:
    """Return the factors of the market's state, and whether the short legs are far enough out."""
    seen = case.desk.regime
    if seen is None:
        return (_SEEN.cannot_see("regime", InputFault.MISSING),)
    old = age_fault(seen.at_ns, now_ns=case.now_ns, age_ns_max=case.limits.sizing.regime_age_ns_max)
    if old is not None:
        return (_SEEN.cannot_see("regime", old),)
    factors = [one for one in seen.regime.factors if one.rule in _SIZES]
    sized = tuple(factor_finding(RuleId.R1, one) for one in factors)
    return (*sized, _short_delta(case), _marginal_premium(case))


def factor_finding(rule: RuleId, factor: Factor) -> RuleFinding:
    """Turn a factor of the regime into a finding with its faults and its reason."""
    check = Check(rule=rule, name=factor.rule.value)
    label = factor.label.replace("_", " ")
    if factor.faults:
        told = ", ".join(f"{f.name} is {f.fault.value.replace('_', ' ')}" for f in factor.faults)
        return check.refuses(f"{told}: no new risk on what is not known", faults=factor.faults)
    name = factor.rule.value.replace("_", " ")
    inputs = given(state=factor.label, size_fraction=factor.size_fraction)
    if factor.entries is EntryPolicy.NONE:
        return check.refuses(f"{name} is {label}: no entries", inputs=inputs)
    words = f"{name} is {label}: {percent(factor.size_fraction)} of the normal size"
    return check.scales(factor.size_fraction, words, inputs=inputs)


def _short_delta(case: Case) -> RuleFinding:
    """The nearest short option's delta against the limit, which shrinks as the regime worsens."""
    seen = case.desk.regime
    shorts = [leg for leg in case.candidate.legs if leg.ratio < 0 and leg.instrument.is_option]
    if not shorts or seen is None:
        return _DELTA.passes("no option is sold")
    terms = seen.regime.vix.terms
    if terms is None:
        return _DELTA.cannot_see("vix", InputFault.MISSING)
    view = case.market.underlying(case.candidate.underlying)
    broad = view is not None and view.broad_index
    sizing = case.limits.sizing
    normal = sizing.index_short_delta_per_share_max if broad else sizing.short_delta_per_share_max
    scale = terms.delta_per_share_max / _NORMAL_DELTA.delta_per_share_max
    limit = normal * min(scale, 1.0) * seen.regime.delta_fraction
    found = [abs(leg.delta_per_share) for leg in shorts]
    if any(delta != delta for delta in found):  # noqa: PLR0124  (only NaN differs from itself)
        return _DELTA.cannot_see("delta", InputFault.NOT_FINITE)
    nearest = max(found)
    words = f"the nearest short has {nearest * 100:.1f} delta, at most {limit * 100:.1f}"
    inputs = given(vix_band=terms.band.value, delta_fraction=seen.regime.delta_fraction)
    if nearest > limit + 1e-9:
        return _DELTA.refuses(words, inputs=inputs, limit=limit, used=nearest)
    return _DELTA.passes(words, inputs=inputs, limit=limit, used=nearest)


def _marginal_premium(case: Case) -> RuleFinding:
    """In a very calm market the thinnest premiums are left alone."""
    seen, price = case.desk.regime, case.candidate.limit_usd
    terms = None if seen is None else seen.regime.vix.terms
    if terms is None or not terms.skip_marginal_premium:
        return _PREMIUM.passes("premiums are not thin")
    if price is None or not price.is_finite():
        return _PREMIUM.cannot_see("limit_price", InputFault.MISSING)
    margin = case.margin_usd_per_unit
    earned = -float(price) * case.candidate.multiplier
    if earned <= 0.0 or margin == 0.0:
        return _PREMIUM.passes("no premium is sold against margin")
    share, least = earned / margin, case.limits.sizing.marginal_premium_fraction
    words = f"the premium is {percent(share)} of its margin, at least {percent(least)}"
    inputs = given(premium_usd=earned, margin_usd=margin)
    if not share >= least:
        return _PREMIUM.refuses(words, inputs=inputs, limit=least, used=share)
    return _PREMIUM.passes(words, inputs=inputs, limit=least, used=share)


RULE = Rule(
    id=RuleId.R1,
    does=(
        "multiplies sizes by the factors of VIX, term structure and trend; refuses shorts "
        "nearer than the regime allows, and thin premium in a very calm market"
    ),
    reads=("regime and its age", "deltas of the short legs", "premium and margin"),
    limits="sizing",
    judge=judge,
)
