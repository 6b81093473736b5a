"""Lists the states of the world a book is revalued in (R6): the standard six, a person's own.

The worst sector is as many scenarios as there are sectors; their worst counts. Behind those that
R6 limits stand the margin stress (R4), rises of the index, which only serve to prove that an order
reduces risk, and the small moves that R2 limits. A scenario of a person's own is written in words:
`gap: index -7 %, VIX +12` or `VIX x2`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec

from thetawarden.domain.portfolio.shock import MARGIN_STRESS, STANDARD_SCENARIOS, Scenario

if TYPE_CHECKING:
    from thetawarden.domain.risk.instrument import UnderlyingView

SECTOR_RETURN: Final = -0.15
SECTOR_VIX_POINTS: Final = 10.0
RISES: Final = tuple(
    Scenario(name=f"index +{percent} %", index_return=percent / 100.0) for percent in (3, 5, 10, 20)
)
SMALL_MOVES: Final = (
    Scenario(name="index -1 %", index_return=-0.01),
    Scenario(name="index +1 %", index_return=0.01),
    Scenario(name="VIX +1", vix_points=1.0),
    Scenario(name="a day passes", days_forward=1.0),
)
ONLY_VIX: Final = Scenario(name="no sector held, VIX +10", vix_points=SECTOR_VIX_POINTS)
OWN_PATTERN: Final = (
    r"^[^:,]{1,60}: index [+-]?[0-9]{1,2}([.][0-9]+)? %,"
    r" VIX ([+-][0-9]{1,3}([.][0-9]+)?|x[0-9]([.][0-9]+)?)$"
)
_OWN: Final = re.compile(r"^(?P<name>[^:]+): index (?P<index>\S+) %, VIX (?P<vix>\S+)$")


class ScenarioSet(msgspec.Struct, frozen=True, kw_only=True):
    """All in order: those under R6's limit, the margin stress, rises, and last the small moves."""

    limited: tuple[Scenario, ...]

    @staticmethod
    def of(underlyings: tuple[UnderlyingView, ...], *, own: tuple[Scenario, ...]) -> ScenarioSet:
        """The standard scenarios, each sector's, and a person's own."""
        return ScenarioSet(limited=(*STANDARD_SCENARIOS, *sector_falls(underlyings), *own))

    @property
    def all(self) -> tuple[Scenario, ...]:
        """Every scenario, in the order of the measured numbers."""
        return (*self.limited, MARGIN_STRESS, *RISES, *SMALL_MOVES)

    @property
    def size(self) -> int:
        """How many there are."""
        return len(self.limited) + 1 + len(RISES) + len(SMALL_MOVES)

    @property
    def margin_stress(self) -> int:
        """The place of the margin stress."""
        return len(self.limited)


def sector_numbers(underlyings: tuple[UnderlyingView, ...]) -> dict[str, int]:
    """A number from 1 for every sector; what tracks a broad index is in none of them."""
    names = sorted({one.sector for one in underlyings if not one.broad_index})
    return {name: number for number, name in enumerate(names, 1)}


def sector_falls(underlyings: tuple[UnderlyingView, ...]) -> tuple[Scenario, ...]:
    """One scenario a sector, so that the worst of them can be found; of none, the VIX rise."""
    falls = tuple(
        Scenario(
            name=f"sector {name} {SECTOR_RETURN * 100:.0f} %, VIX +{SECTOR_VIX_POINTS:.0f}",
            sector_returns={number: SECTOR_RETURN},
            vix_points=SECTOR_VIX_POINTS,
        )
        for name, number in sector_numbers(underlyings).items()
    )
    return falls or (ONLY_VIX,)


def scenario_in_words(words: str) -> Scenario:
    """Return the scenario a person described; raises ValueError when the words have another form.

    The configuration refuses such words before they come here.
    """
    found = _OWN.match(words)
    if found is None or re.match(OWN_PATTERN, words) is None:
        raise ValueError(f"a scenario reads `name: index -7 %, VIX +12`, found {words!r}")
    vix = found["vix"]
    return Scenario(
        name=found["name"].strip(),
        index_return=float(found["index"]) / 100.0,
        vix_factor=float(vix[1:]) if vix.startswith("x") else 1.0,
        vix_points=0.0 if vix.startswith("x") else float(vix),
    )
