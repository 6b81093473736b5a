"""Writes docs/risk-rules.md: every rule of the governor, what it reads, its numbers, its effect.

Rows come from the rules themselves and from the configuration, so the page cannot be out of date.
"""

from __future__ import annotations

from thetawarden.config.fields import Group, describe, leaves
from thetawarden.config.reference import written
from thetawarden.config.risk import RiskConfig
from thetawarden.domain.portfolio.shock import STANDARD_SCENARIOS
from thetawarden.domain.risk.review import RULES
from thetawarden.domain.risk.rule import Rule

_HEAD = """# Risk rules

Made from `thetawarden/domain/risk/` and the configuration by `make docs`.

Every candidate is put before every rule. A rule passes, warns, shrinks the size by a factor or to a
maximum, or refuses; what it cannot know it refuses. **Factors multiply, the smallest maximum wins,
rounding is down, zero means no trade.** The review names every finding with its inputs and limit,
and the rules without which more would have been sent.

**What counts.** What is filled, and every approved order that is not known to be over: reserved,
in flight, working or unknown makes no difference. Each counts in full wherever that makes a number
worse and nowhere else, so the sum is a bound whatever fills. A candidate is measured one unit at a
time and alone; what it might net against something else is not credited before it is filled.

**What reduces risk** is proved, not believed: buying back short options; or the worst loss over
all scenarios (falls, rises, VIX) shrinks by at least what is paid, or stays while margin shrinks,
and no scenario loses more by it than what is paid; or short options are bought back and no more of
the same side are sold, across no report of the company and no dividend, and the worst loss shrinks
by what is paid and what any other loss grows by, at least; or calls are sold on free shares, the
worst loss shrinks, and none that grows comes to more than half of it; or the order only takes away
from what is held.
Margin may not rise beyond what is paid, no more may be naked than was, and the same must hold once
all that is pending has filled. Such an order passes every rule but the few checks that bind exits
too, in every state of the desk. Without a valuation, taking away is still proved by payoffs at
expiry.

**Approvals** are used once, expire, name their quotes, the halt epoch and the stress result they
rest on, and reserve their limits from the instant they are given until the book shows their end.

## Rules

| rule | what it does | what it reads | numbers | binds exits too |
| --- | --- | --- | --- | --- |
"""

_NUMBERS_HEAD = """
## Numbers

Fractions are of net liquidation value (NLV) unless said otherwise. The loss of a month, losses in a
row, the limits of vega and gamma, the largest deltas, what is marginal, and all of `orders` are our
own choices: nothing that we read names a number for them. The bands and factors of the regime
itself (R1, R9, R11) are in `thetawarden/domain/regime/`.
"""


def render() -> str:
    """The whole page."""
    return "".join([_HEAD, *map(_row, RULES), _scenarios(), _numbers()])


def _row(rule: Rule) -> str:
    section = rule.limits
    where = f"[risk.{section}](#{section})" if section else "the regime's own"
    exits = ", ".join(f"`{name}`" for name in rule.exits) or "none"
    return f"| {rule.id} | {rule.does} | {'; '.join(rule.reads)} | {where} | {exits} |\n"


def _scenarios() -> str:
    names = [one.name for one in STANDARD_SCENARIOS]
    listed = "\n".join(f"- {name}" for name in names)
    return (
        f"\n## Scenarios\n\n{listed}\n- each sector -15 %, VIX +10: the dearest is the worst sector"
        "\n- your own, as in `risk.stress.own`\n\nThe margin stress of R4 is the index -10 % with"
        " the VIX doubled. Every one is a full revaluation (surface-and-portfolio.md).\n"
    )


def _numbers() -> str:
    """Every number with its default, by section."""
    root = describe(RiskConfig(), path="risk")
    parts = [
        "\n## Numbers\n\nFractions are of net liquidation value (NLV) unless said otherwise.\n"
    ]
    for group in root.members.values():
        if isinstance(group, Group):
            parts.append(f"\n### {group.name}\n\n{' '.join(group.about.split())}\n\n")
            parts.append("| key | default | what it is |\n| --- | --- | --- |\n")
            parts.extend(
                f"| `{path}` | `{written(field.default)}` | {field.about} |\n"
                for path, field in leaves(group).items()
            )
    return "".join(parts)
