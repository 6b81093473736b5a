"""Reads the fields of one received message, in order, tolerant exactly where gateways are.

An empty field and the three written forms of "unset" all read as not set. Everything else that
cannot be understood is a MalformedError: whose fault is never in doubt, it is the sender's.
"""

from __future__ import annotations

import math

COUNT_MAX = 1000
"""Legs, parameters, conditions: no honest message repeats a group more often."""
DIGITS_MAX = 24
"""Longer than any number a client writes, shorter than what makes arithmetic slow."""

_UNSET = frozenset(
    {
        "",
        "2147483647",
        "9223372036854775807",
        "1.7976931348623157E308",
        "1.7976931348623157e+308",
        "1.7976931348623157E+308",
        "1.7976931348623157e308",
        "nan",
        "NaN",
    }
)


class MalformedError(ValueError):
    """A message lacks the fields its id promises. The client's fault; it is answered 320."""

    def __init__(self, *, field: int, found: str, wanted: str) -> None:
        super().__init__(f"field {field} is {found[:40]!r}, {wanted} expected")
        self.field, self.found, self.wanted = field, found, wanted


class FieldReader:
    """A cursor over the fields of one payload."""

    def __init__(self, payload: bytes) -> None:
        fields = payload.decode("utf-8", "backslashreplace").split("\0")
        if fields and fields[-1] == "":
            fields.pop()
        self._fields = fields
        self._next = 0

    @property
    def left(self) -> int:
        """How many fields have not been read."""
        return len(self._fields) - self._next

    def peek(self, ahead: int) -> str:
        """A field further on, or an empty text; nothing is read."""
        at = self._next + ahead
        return self._fields[at] if at < len(self._fields) else ""

    def text(self) -> str:
        """The next field as it is."""
        if self._next >= len(self._fields):
            raise MalformedError(field=self._next, found="", wanted="another field")
        value = self._fields[self._next]
        self._next += 1
        return value

    def texts(self, count: int) -> tuple[str, ...]:
        """The next `count` fields as they are."""
        return tuple(self.text() for _ in range(count))

    def skip(self) -> None:
        """Leave out one field: a version number, or one that means nothing any more."""
        self.text()

    def optional_int(self) -> int | None:
        """A whole number, or None when it is not set; `7.0` is accepted as 7."""
        value = self.text()
        if value in _UNSET:
            return None
        if len(value) > DIGITS_MAX:
            raise self._malformed(value, "a whole number")
        try:
            return int(value)
        except ValueError:
            return self._whole(value)

    def integer(self, default: int = 0) -> int:
        """A whole number, or the default when it is not set."""
        value = self.optional_int()
        return default if value is None else value

    def optional_float(self) -> float | None:
        """A finite number, or None when it is not set."""
        value = self.text()
        if value in _UNSET:
            return None
        try:
            number = float(value)
        except ValueError:
            raise self._malformed(value, "a number") from None
        if not math.isfinite(number):
            raise self._malformed(value, "a number")
        return number

    def flag(self) -> bool:
        """A yes or no; empty is no."""
        value = self.text()
        if value in ("", "0", "false", "False"):
            return False
        if value in ("1", "true", "True"):
            return True
        raise self._malformed(value, "0 or 1")

    def count(self) -> int:
        """How many groups follow; bounded, never negative."""
        value = self.integer()
        if not 0 <= value <= COUNT_MAX:
            raise self._malformed(str(value), f"0 to {COUNT_MAX}")
        return value

    def pairs(self) -> tuple[tuple[str, str], ...]:
        """A counted list of tags and values."""
        return tuple((self.text(), self.text()) for _ in range(self.count()))

    def _whole(self, value: str) -> int:
        try:
            number = float(value)
        except ValueError:
            raise self._malformed(value, "a whole number") from None
        if not math.isfinite(number) or number != int(number):
            raise self._malformed(value, "a whole number")
        return int(number)

    def _malformed(self, found: str, wanted: str) -> MalformedError:
        return MalformedError(field=self._next - 1, found=found, wanted=wanted)
