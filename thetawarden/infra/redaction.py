"""Takes secrets out of anything that is about to be written, whatever shape it has.

Three nets: keys called like secrets, the values of every Secret this process has held (also in
their usual encodings), and patterns (account numbers keep their last two characters, bearer
tokens, credentials in addresses, bot tokens, private keys). Values come out as plain JSON types.
It never raises, calls no foreign code but repr and str, and gives up on what is too deep or too
large rather than let any of it through. Refuses to know where the lines go.
"""

from __future__ import annotations

import base64
import dataclasses
import functools
import json
import math
import re
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote, quote_plus

import msgspec

from thetawarden.config.secrets import (
    HIDDEN,
    LENGTH_MIN,
    Secret,
    known_count,
    known_values,
    names_a_secret,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

S = TypeVar("S", bound=msgspec.Struct)

TEXT_LENGTH_MAX = 100_000
SHOWN_LENGTH_MAX = 16_000
DEPTH_MAX = 8
ITEMS_MAX = 200
NODES_MAX = 2_000
NUMBER_BITS_MAX = 256

_OTHER_ADDRESS = (
    r"\b(?!https?:|wss?:|file:|unix:|sqlite:|tcp:)([A-Za-z][A-Za-z0-9+.-]{1,20}://)[^\s\"'<>]+"
)
_KEY_AND_VALUE = (
    r"(?i)((?:token|passw(?:or)?d|passphrase|secret|api[_-]?key|authorization|credential"
    r"|cookie)[\w-]{0,30}[\\\"']{0,4}\s{0,5}[=:]\s{0,5})"
    r"(?:\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'"
    r"|[\\\"']{0,4}(?:bearer |basic )?[^\s,;&)\]}\"'\\]+)"
)
# what every pattern needs a piece of; most texts have none and are done
_SUSPECT = re.compile(r"[0-9]{5}|[:=/]|eyJ|-----|(?i:bearer)")
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[^-]*(-----END [A-Z ]{0,40}-----)?", HIDDEN),
        # an account number keeps its last two characters
        (r"(?<![A-Za-z0-9])(?:D[A-Z]{1,2}|[UFI])[0-9]{3,8}([0-9]{2})(?![A-Za-z0-9])", r"***\1"),
        (r"(?i)\b(bearer)\s{1,5}[A-Za-z0-9._~+/=-]{6,}", r"\1 ***"),
        (r"(?i)\b((?:set-)?cookie|authorization)(\s{0,5}:\s{0,5})[^\r\n]+", r"\1\2***"),
        (r"\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}(\.[A-Za-z0-9_-]*)?", HIDDEN),
        (r"(?<![0-9])[0-9]{6,12}:[A-Za-z0-9_-]{30,}", HIDDEN),  # a Telegram bot's token
        (r"(://)[^\s/?#]{1,400}@", r"\1***@"),
        (r"(?i)(/(?:services|webhooks|hooks)/)[^\s\"'<>]{8,}", r"\1***"),
        # notification addresses carry their tokens in the path
        (_OTHER_ADDRESS, r"\1***"),
        (_KEY_AND_VALUE, r"\1***"),
    )
)


class _Room:
    """What is left of the room one value may take, so that no nesting of references explodes."""

    def __init__(self, *, depth: int, left: int) -> None:
        self.depth = depth
        self.left = left


class Redactor:
    """Redacts texts and values; knows the secrets of `values`, asked anew when `count` changes."""

    def __init__(
        self,
        *,
        values: Callable[[], Iterable[str]] = known_values,
        count: Callable[[], int] = known_count,
    ) -> None:
        self._values = values
        self._count = count
        self._compiled: tuple[int, re.Pattern[str] | None] = (-1, None)

    def text(self, text: str) -> str:
        """The text without anything secret, cut to what a line can bear."""
        clean = self.clean(text)
        if len(clean) > SHOWN_LENGTH_MAX:
            return f"{clean[:SHOWN_LENGTH_MAX]}… <{len(clean) - SHOWN_LENGTH_MAX} more>"
        return clean

    def clean(self, text: str) -> str:
        """The whole text without anything secret; one too long to search is withheld."""
        if len(text) > TEXT_LENGTH_MAX:
            return f"<{len(text)} characters withheld>"
        clean = self.known(text)
        if _SUSPECT.search(clean) is None:
            return clean
        for pattern, replacement in _PATTERNS:
            clean = pattern.sub(replacement, clean)
        return self.known(clean)  # what patterns left must not make up a secret either

    def known(self, text: str) -> str:
        """The text without the values of known secrets; patterns are left alone."""
        pattern = self._pattern()
        return text if pattern is None else pattern.sub(HIDDEN, text)

    def fields(self, told: S) -> S:
        """The same struct without known secrets in any of its texts: what a person wrote."""
        clean = {
            name: self.known(text)
            for name in told.__struct_fields__
            if isinstance(text := getattr(told, name), str)
        }
        return msgspec.structs.replace(told, **clean)

    def value(self, value: Any, *, key: str = "") -> Any:
        """The value as plain JSON types without anything secret."""
        return self._show(value, key, _Room(depth=0, left=NODES_MAX))

    def _show(self, value: Any, key: str, room: _Room) -> Any:
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, Secret) or _named(key):
            return HIDDEN
        if isinstance(value, int | float):
            return self._number(value)
        inside = _inside(value)
        if isinstance(inside, str):
            return self.text(inside)
        if room.depth >= DEPTH_MAX or room.left <= 0:
            return f"<{len(inside)} items withheld>"
        room.depth += 1
        room.left -= min(len(inside), ITEMS_MAX)
        shown = (self._items if isinstance(inside, list) else self._mapping)(inside, room)
        room.depth -= 1
        return shown

    def _mapping(self, mapping: Any, room: _Room) -> dict[str, Any]:
        shown: dict[str, Any] = {}
        for key, value in list(mapping.items())[:ITEMS_MAX]:
            name = key if isinstance(key, str) else _printed(key)
            shown[self.text(name)] = self._show(value, name, room)
        if len(mapping) > ITEMS_MAX:
            shown["…"] = f"<{len(mapping) - ITEMS_MAX} more>"
        return shown

    def _items(self, items: Any, room: _Room) -> list[Any]:
        if len(items) == 2 and isinstance(items[0], str | bytes):  # a header: ("Cookie", "...")
            name = str(_inside(items[0]))
            return [self.text(name), self._show(items[1], name, room)]
        shown = [self._show(item, "", room) for item in items[:ITEMS_MAX]]
        return [*shown, f"<{len(items) - ITEMS_MAX} more>"] if len(items) > ITEMS_MAX else shown

    def _number(self, number: int | float) -> Any:  # noqa: PYI041 -- which of the two matters here
        if isinstance(number, float):
            plain: int | float = float(number)
        elif number.bit_length() <= NUMBER_BITS_MAX:
            plain = int(number)
        else:
            return f"<a number of {number.bit_length()} bits>"
        text = str(plain)
        clean = self.known(text)
        return plain if clean == text and math.isfinite(plain) else clean

    def _pattern(self) -> re.Pattern[str] | None:
        count, pattern = self._compiled
        now = self._count()
        if count != now:
            pattern = _any_of(self._values())
            self._compiled = (now, pattern)
        return pattern


@functools.lru_cache(maxsize=4096)
def _named(key: str) -> bool:
    return bool(key) and names_a_secret(key)


def _inside(value: Any) -> Mapping[Any, Any] | list[Any] | str:
    """What a value consists of: names and values, items, or its text."""
    match value:
        case str():
            inside: Mapping[Any, Any] | list[Any] | str = str(value)
        case bytes() | bytearray() if len(value) <= TEXT_LENGTH_MAX:
            inside = value.decode("utf-8", "backslashreplace")
        case bytes() | bytearray():
            inside = f"<{len(value)} bytes withheld>"
        case dict():
            inside = value
        case list() | tuple() | set() | frozenset():
            inside = list(value)
        case msgspec.Struct():
            inside = {name: getattr(value, name, None) for name in value.__struct_fields__}
        case _ if dataclasses.is_dataclass(value) and not isinstance(value, type):
            names = [field.name for field in dataclasses.fields(value)]
            inside = {name: getattr(value, name, None) for name in names}
        case _:
            inside = _printed(value)
    return inside


def _printed(value: Any) -> str:
    try:
        return (
            f"{type(value).__name__}: {value}" if isinstance(value, BaseException) else repr(value)
        )
    except Exception as error:  # noqa: BLE001 -- a broken repr must not take the log line with it
        return f"<{type(value).__name__} that cannot be shown: {type(error).__name__}>"


def _any_of(values: Iterable[str]) -> re.Pattern[str] | None:
    spellings = {spelling for value in values for spelling in _spellings(value)}
    if not spellings:
        return None
    longest_first = sorted(spellings, key=lambda spelling: (-len(spelling), spelling))
    return re.compile("|".join(map(re.escape, longest_first)))


def _spellings(value: str) -> Iterable[str]:
    """A secret as it is, and as it looks once something has encoded it."""
    raw = value.encode("utf-8", "surrogatepass")
    encoded = (
        value,
        value.strip(),
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        repr(value)[1:-1],
        repr(value + "\"'")[1:-4],  # within a text that has both kinds of quotes
        repr(raw)[2:-1],
        raw.decode("utf-8", "backslashreplace"),
        quote(raw),
        quote(raw, safe=""),
        quote_plus(raw),
        base64.b64encode(raw).decode().rstrip("="),
        base64.urlsafe_b64encode(raw).decode().rstrip("="),
        raw.hex(),
        *value.splitlines(),
    )
    return (spelling for spelling in encoded if len(spelling) >= LENGTH_MIN)
