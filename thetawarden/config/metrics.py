"""What a person may set about figures for a monitoring system."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta


class MetricsConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Figures for Prometheus, on this machine only. Any user of the machine can read them."""

    port: Annotated[
        int,
        Meta(ge=0, le=65535, description="Where they are read, at 127.0.0.1; 0 for not at all."),
    ] = 0
    refresh_s: Annotated[
        float, Meta(ge=1, le=300, description="The desk is looked at no more often than this.")
    ] = 5.0
