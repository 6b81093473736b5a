"""Turns one written value into the value its key asks for, or says why it does not fit.

Knows a field and a text, no file and no section. Bounds are msgspec's to judge; here live the
spellings: what counts as a number, a truth value, a time. Values from variables and flags carry no
quotes, so for them every text is taken as it is.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from decimal import Decimal
from typing import Any

import msgspec

from thetawarden.config.document import Node, Reading, Scalar, Sequence
from thetawarden.config.fields import Field, Kind
from thetawarden.config.problems import one_line

WHOLE = re.compile(r"[+-]?(0|[1-9][0-9]{0,17})")
NUMBER = re.compile(r"[+-]?([0-9]{1,18}(\.[0-9]{0,30})?|\.[0-9]{1,30})([eE][+-]?[0-9]{1,3})?")
AMOUNT = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]{1,8})?")
TIME_OF_DAY = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")
NOT_FINITE = re.compile(r"[+-]?\.?(inf|infinity|nan)", re.IGNORECASE)
TRUTHS = {"true": True, "false": False}
CUT_SHORT_MIN = 4
"""With so many letters the beginning of a word is taken for that word."""
UNIT_BEHIND = re.compile(r"[+-]?[0-9.]+\s*[A-Za-z%$]+")


class Misfit(msgspec.Struct, frozen=True, kw_only=True):
    """Why a written value does not fit its key."""

    node: Node
    found: str
    allowed: str
    remedy: str


def read_value(field: Field, node: Node) -> Any | Misfit:
    """The value a key gets from what is written for it."""
    if field.item is not None:
        return _read_list(field, field.item, node)
    if not isinstance(node, Scalar):
        return _misfit(field, node, "write a single value")
    value = _spelled(field, node)
    return value if isinstance(value, Misfit) else _bounded(field, node, value)


def found_words(node: Node) -> str:
    """What is written, in words, harmless to print."""
    if not isinstance(node, Scalar):
        return "a list" if isinstance(node, Sequence) else "a section"
    text = one_line(node.text)
    if node.reading in (Reading.QUOTED, Reading.GIVEN):
        return f'"{text}"'
    if node.reading is Reading.TEXT or not text:
        return text or "nothing"
    if node.reading is Reading.NUMBER and ":" in text:
        return f"{text} unquoted, which YAML reads as a number in base 60"
    return f"{text} ({node.reading})"


def did_you_mean(word: str, known: tuple[str, ...]) -> str | None:
    """The known word somebody may have meant: one that was cut short, or one that looks alike."""
    import difflib  # noqa: PLC0415 -- only a mistake pays for it

    written = word[:100].lower()
    longer = [one for one in known if len(written) >= CUT_SHORT_MIN and one.startswith(written)]
    near = longer or difflib.get_close_matches(written, known, n=1, cutoff=0.6)
    return min(near, key=len) if near else None


def _read_list(field: Field, item: Field, node: Node) -> tuple[Any, ...] | Misfit:
    if isinstance(node, Scalar) and node.reading is Reading.GIVEN:
        parts = [part.strip() for part in node.text.split(",")] if node.text.strip() else []
        nodes: tuple[Node, ...] = tuple(Scalar(text=t, reading=Reading.GIVEN) for t in parts)
    elif isinstance(node, Sequence):
        nodes = node.items
    else:
        return _misfit(field, node, "write the values in brackets: [first, second]")
    values = []
    for each in nodes:
        value = read_value(item, each)
        if isinstance(value, Misfit):
            return value
        values.append(value)
    return _bounded(field, node, tuple(values))


def _bounded(field: Field, node: Node, value: Any) -> Any | Misfit:
    try:
        msgspec.convert(value, field.annotation)
    except msgspec.ValidationError:
        return _misfit(field, node, "choose a value that is allowed")
    return value


def _spelled(field: Field, node: Scalar) -> Any | Misfit:
    return _SPELLINGS.get(field.kind, _plain)(field, node)


def _plain(field: Field, node: Scalar) -> Any | Misfit:
    text = node.text
    if node.reading is not Reading.QUOTED:
        match field.kind:
            case Kind.TRUTH if text in TRUTHS:
                return TRUTHS[text]
            case Kind.WHOLE if WHOLE.fullmatch(text):
                return int(text)
            case Kind.NUMBER if NUMBER.fullmatch(text) and math.isfinite(float(text)):
                return float(text)
            case Kind.MONEY if AMOUNT.fullmatch(text):
                return Decimal(text)
            case _:
                pass
    return _misfit(field, node, _plain_remedy(field, node))


def _plain_remedy(field: Field, node: Scalar) -> str:
    text, quoted = node.text, node.reading is Reading.QUOTED
    truth = field.kind is Kind.TRUTH
    remedies = (
        (not text and not quoted, "write a value or remove the line"),
        (truth and text in TRUTHS, "remove the quotes"),
        (truth, "write true or false"),
        (NOT_FINITE.fullmatch(text), "write a finite number"),
        (quoted and NUMBER.fullmatch(text), "remove the quotes"),
        (field.kind is Kind.NUMBER and NUMBER.fullmatch(text), "write a finite number"),
        (field.kind is Kind.WHOLE and NUMBER.fullmatch(text), "write it without a fraction"),
        (UNIT_BEHIND.fullmatch(text), "write the number alone; the unit is in the key's name"),
    )
    return next((words for holds, words in remedies if holds), "write plain decimal digits")


def _text(field: Field, node: Scalar) -> str | Misfit:
    if any("\ud800" <= char <= "\udfff" for char in node.text):  # bytes of a variable, no UTF-8
        return _misfit(field, node, "write it in UTF-8")
    if node.reading in (Reading.TEXT, Reading.QUOTED, Reading.GIVEN):
        return node.text
    if node.text == "":
        return _misfit(field, node, "write a value or remove the line")
    return _misfit(field, node, f'quote it: "{one_line(node.text)}"')


def _choice(field: Field, node: Scalar) -> Any | Misfit:
    if node.text in field.choices:
        return next(choice for choice in field.choices if choice == node.text)
    near = did_you_mean(node.text, field.choices)
    return _misfit(field, node, f"did you mean {near}?" if near else "choose one of them")


def _time_of_day(field: Field, node: Scalar) -> dt.time | Misfit:
    matched = TIME_OF_DAY.fullmatch(node.text)
    if matched is None:
        return _misfit(field, node, "write hours and minutes of a 24-hour clock")
    if node.reading not in (Reading.QUOTED, Reading.GIVEN):
        return _misfit(field, node, f'quote it: "{node.text}"')
    return dt.time(int(matched[1]), int(matched[2]))


def _misfit(field: Field, node: Node, remedy: str) -> Misfit:
    return Misfit(node=node, found=found_words(node), allowed=field.allowed, remedy=remedy)


_SPELLINGS = {Kind.TEXT: _text, Kind.CHOICE: _choice, Kind.TIME_OF_DAY: _time_of_day}
