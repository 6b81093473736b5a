"""What every key of the schema owes the person who sets it."""

import math

import msgspec
import pytest

from thetawarden.config.fields import Group, Kind, describe, leaves
from thetawarden.config.schema import Config
from thetawarden.config.secrets import names_a_secret

ROOT = describe(Config())
FIELDS = leaves(ROOT)
NUMBERS = [
    field for field in FIELDS.values() if field.kind in (Kind.WHOLE, Kind.NUMBER, Kind.MONEY)
]
PLAIN_NUMBERS = {
    *("broker.port", "broker.client_id", "practice.port", "practice.speed", "practice.seed"),
    *("lines.limit", "lines.reserve", "metrics.port", "guardian.client_id"),
}
UNITS = (
    *("_s", "_ms", "_mb", "_kb", "_fraction", "_usd", "_days", "_points", "_correlation"),
    *("_min", "_max", "intensity", "_kept", "_nlv", "_weeks", "_reserved", "_annual", "_delta"),
    *("_weight", "_multiple", "_per_share", ".units"),
)


def _groups(group):
    yield group
    for member in group.members.values():
        if isinstance(member, Group):
            yield from _groups(member)


@pytest.mark.parametrize("field", NUMBERS, ids=lambda field: field.path)
@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan, 10**18, -(10**18)])
def test_h05_every_number_is_bounded_on_both_sides_and_finite(field, value):
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(value, field.annotation)


@pytest.mark.parametrize("field", NUMBERS, ids=lambda field: field.path)
def test_every_number_has_its_unit_in_its_name(field):
    assert field.path in PLAIN_NUMBERS or field.path.endswith(UNITS)


@pytest.mark.parametrize("field", [*FIELDS.values()], ids=lambda field: field.path)
def test_every_key_says_what_it_is_and_what_is_allowed(field):
    assert field.about.endswith(".")
    assert field.allowed


@pytest.mark.parametrize("field", [*FIELDS.values()], ids=lambda field: field.path)
def test_every_default_is_itself_allowed(field):
    assert msgspec.convert(field.default, field.annotation) == field.default


@pytest.mark.parametrize("group", [*_groups(ROOT)], ids=lambda group: group.path or "top")
def test_every_section_is_frozen_and_knows_its_keys_only(group):
    config = group.schema.__struct_config__

    assert config.frozen
    assert config.forbid_unknown_fields
    assert group.about


def test_no_key_asks_for_a_secret():
    assert [path for path in FIELDS if names_a_secret(path.rpartition(".")[2])] == []


def test_the_supervisor_has_the_numbers_of_the_architecture():
    supervisor = Config().supervisor

    assert (supervisor.root.intensity, supervisor.root.period_s) == (2, 600)
    assert (supervisor.trading.intensity, supervisor.trading.period_s) == (3, 300)
    assert (supervisor.advisory.intensity, supervisor.advisory.period_s) == (10, 300)
    assert (supervisor.advisory.backoff_min_s, supervisor.advisory.backoff_max_s) == (0.5, 30)
