"""The shape of a function that carries out a request."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from thetawarden.practice.gateway.session import Session

Handler: TypeAlias = Callable[["Session", Any], None]
"""Sends its answer, or the reason why there is none, to the session."""
