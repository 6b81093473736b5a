"""An order's life as a table: at each stage, what each piece of evidence leads to.

A pair that is not in the table changes nothing: late, repeated and reordered word is normal. The
documented diagram is drawn from the same table. What has ended stays so but for the broker's own
evidence that it lives, or has filled, after all: such a step is marked as a resurrection.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from thetawarden.domain.orders.stages import ENDS, Stage


class Evidence(enum.StrEnum):
    """What may be heard of an order, or concluded of it."""

    LEFT = "its bytes left"
    HELD_BACK = "held back at the last gate"
    REPORTED = "reported as open"
    PARTLY = "partly filled"
    WHOLLY = "wholly filled"
    CANCELLED = "reported as cancelled"
    REFUSED = "refused and reported as inactive"
    DOUBTED = "an error without an echo"
    SILENT = "no word in time"
    CUT = "the link was lost"
    BEGAN = "the desk began again"
    MISSING = "not in the whole book"
    LISTED = "listed in the whole book as open"
    ABSENT = "proved absent, never acknowledged"
    GONE = "proved absent, once acknowledged"
    EMPTIED = "its fills were busted"


class Step(msgspec.Struct, frozen=True):
    """Where evidence leads; `resurrects` when what had ended lives or has filled after all."""

    stage: Stage
    resurrects: bool = False


_S, _E = Stage, Evidence
_BACK_OPEN = Step(_S.WORKING, resurrects=True)
_BACK_PARTLY = Step(_S.PARTIAL, resurrects=True)
_FILLED_AFTER_ALL = Step(_S.FILLED, resurrects=True)

_TOLD: dict[Evidence, Step] = {
    _E.REPORTED: Step(_S.WORKING),
    _E.LISTED: Step(_S.WORKING),
    _E.PARTLY: Step(_S.PARTIAL),
    _E.WHOLLY: Step(_S.FILLED),
    _E.CANCELLED: Step(_S.CANCELLED),
    _E.REFUSED: Step(_S.REJECTED),
    _E.DOUBTED: Step(_S.UNKNOWN),
}
_UNSURE: dict[Evidence, Step] = {
    _E.SILENT: Step(_S.UNKNOWN),
    _E.CUT: Step(_S.UNKNOWN),
    _E.BEGAN: Step(_S.UNKNOWN),
}
_PROVED: dict[Evidence, Step] = {_E.ABSENT: Step(_S.ABSENT), _E.GONE: Step(_S.EXPIRED)}
_ONLY_CONCLUDED: dict[Evidence, Step] = {
    _E.REPORTED: _BACK_OPEN,
    _E.LISTED: _BACK_OPEN,
    _E.PARTLY: _BACK_PARTLY,
    _E.WHOLLY: _FILLED_AFTER_ALL,
    _E.CANCELLED: Step(_S.CANCELLED),
    _E.REFUSED: Step(_S.REJECTED),
}
"""What we ended by a conclusion of ours, the broker's word ends or opens better."""

_ROWS: dict[Stage, dict[Evidence, Step]] = {
    _S.INTENDED: {
        _E.LEFT: Step(_S.SENT),
        _E.HELD_BACK: Step(_S.WITHHELD),
        **_TOLD,
        **_UNSURE,
    },
    _S.SENT: {**_TOLD, **_UNSURE, _E.MISSING: Step(_S.UNKNOWN)},
    _S.WORKING: {
        **{key: step for key, step in _TOLD.items() if step.stage is not _S.WORKING},
        _E.MISSING: Step(_S.UNKNOWN),
    },
    _S.PARTIAL: {
        **{key: step for key, step in _TOLD.items() if step.stage is not _S.WORKING},
        _E.MISSING: Step(_S.UNKNOWN),
        _E.EMPTIED: Step(_S.WORKING),
    },
    _S.UNKNOWN: {
        **{key: step for key, step in _TOLD.items() if key is not _E.DOUBTED},
        **_PROVED,
        _E.HELD_BACK: Step(_S.WITHHELD),
    },
    _S.FILLED: {},
    _S.CANCELLED: {_E.WHOLLY: Step(_S.FILLED), _E.LISTED: _BACK_OPEN},
    _S.REJECTED: {
        _E.PARTLY: _BACK_PARTLY,
        _E.WHOLLY: _FILLED_AFTER_ALL,
        _E.LISTED: _BACK_OPEN,
    },
    _S.EXPIRED: _ONLY_CONCLUDED,
    _S.ABSENT: _ONLY_CONCLUDED,
    _S.WITHHELD: _ONLY_CONCLUDED,
}

TABLE: Mapping[tuple[Stage, Evidence], Step] = MappingProxyType(
    {
        (stage, evidence): step
        for stage, row in _ROWS.items()
        for evidence, step in row.items()
        if step.stage is not stage
    }
)


def step(stage: Stage, evidence: Evidence) -> Step:
    """Return where this leads; evidence that means nothing at this stage leads nowhere."""
    return TABLE.get((stage, evidence), Step(stage))


def is_over(stage: Stage) -> bool:
    """Whether nothing more comes of an order, but by the broker's own evidence."""
    return stage in ENDS


def diagram() -> str:
    """Draw the table as a Mermaid state diagram, one arrow for all that leads the same way."""
    arrows: dict[tuple[Stage, Stage], list[str]] = {}
    for (stage, evidence), after in TABLE.items():
        arrows.setdefault((stage, after.stage), []).append(evidence)
    lines = ["stateDiagram-v2", f"    [*] --> {Stage.INTENDED}"]
    lines += [f"    {a} --> {b}: {', '.join(why)}" for (a, b), why in arrows.items()]
    return "\n".join(lines)
