"""Whatever a file or a variable holds: a configuration or a ConfigError, never anything else."""

import datetime as dt
import os

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from thetawarden.config.fields import Kind, describe, leaves
from thetawarden.config.loader import load_config
from thetawarden.config.problems import ConfigError
from thetawarden.config.reference import written
from thetawarden.config.rules import IN_ORDER, MANAGING_IN_ORDER, STRATEGY_IN_ORDER
from thetawarden.config.schema import Config
from thetawarden.config.secrets import read_secrets

FIELDS = leaves(describe(Config()))
SECTIONS = sorted({path.rpartition(".")[0] for path in FIELDS} - {""})


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz") / "thetawarden.yaml"


def _outcome(read):
    """The lines of the ConfigError, or none."""
    try:
        read()
    except ConfigError as error:
        return str(error).split("\n")
    return []


def _load(file, content):
    file.write_bytes(content)
    return load_config(named_file=file, default_file=file, environment={}, flags={})


def _assert_told_well(lines):
    for line in lines:
        assert line.isprintable()
        assert "; allowed: " in line


ODDITIES = """
~ null NO yes on True true .inf -.NaN 9:30 1:2:3 0x1F 010 0o7 1_000 1e3 1e999 -0 +1 .5 5. 2026-11-20
= << !!int !x &a *a *b '' "" "\\uD800" "\\U00110000" - ? | > % @ ` , # :
"""
SCALARS = st.one_of(
    st.sampled_from(ODDITIES.split()),
    st.integers().map(str),
    st.floats().map(str),
    st.text(max_size=12),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]"),
        st.lists(st.tuples(inner, inner), max_size=3).map(
            lambda pairs: "{" + ", ".join(f"{key}: {value}" for key, value in pairs) + "}"
        ),
    ),
    max_leaves=5,
)
KEYS = st.one_of(
    st.sampled_from([*FIELDS, *SECTIONS]).map(lambda path: path.split(".")[-1]), SCALARS
)
LINES = st.one_of(
    st.builds(
        lambda depth, key, value: f"{'  ' * depth}{key}: {value}", st.integers(0, 2), KEYS, VALUES
    ),
    st.builds(lambda depth, key: f"{'  ' * depth}{key}:", st.integers(0, 2), KEYS),
    SCALARS,
)


@settings(max_examples=300, deadline=None)
@given(content=st.binary(max_size=200))
@example(b"%YAML 1." + b"9" * 5000 + b"\n---\nmode: live")
@example(b"mode: " + b"9" * 10_000)
@example(b"broker: {port: " + b"9" * 10_000 + b"}")
@example(b"\xef\xbb\xbf\xef\xbb\xbfmode: live")
@example(b"mode: live\x00")
@example(b"a" * 2000 + b": 1")
@example(b"? ? ? ? ?")
@example(b"- - - - - - - - - - - - - - - - - - - - - - - - - -")
@example(b"{" * 100_000)
@example(b"&a " * 100)
@example(b'"' + b"\\x41" * 1000)
@example(b"!<tag:%ff> x")
@example(b"%TAG ! !\n--- !x y")
@example(b"mode: |9\n  x")
@example(b"mode: >-\n  live\n")
def test_any_bytes_are_read_or_refused(file, content):
    _assert_told_well(_outcome(lambda: _load(file, content)))


@settings(max_examples=500, deadline=None)
@given(lines=st.lists(LINES, max_size=8))
def test_anything_that_looks_like_a_configuration_is_read_or_refused(file, lines):
    content = "\n".join(lines).encode("utf-8", "surrogatepass")

    _assert_told_well(_outcome(lambda: _load(file, content)))


@settings(max_examples=200, deadline=None)
@given(
    environment=st.dictionaries(
        st.one_of(
            st.sampled_from([*FIELDS, *SECTIONS]).map(lambda path: path.replace(".", "__").upper()),
            st.text(max_size=10),
        ).map(lambda name: f"THETAWARDEN__{name}"),
        st.one_of(SCALARS, st.binary(max_size=8).map(os.fsdecode)),
        max_size=4,
    )
)
def test_any_variables_are_read_or_refused(file, environment):
    missing = file.with_name("missing.yaml")

    _assert_told_well(
        _outcome(
            lambda: load_config(
                named_file=None, default_file=missing, environment=environment, flags={}
            )
        )
    )


FRAMES = """
{} '{}' "{}" [{}] !{} !{}!x *{} &{} {}:x %{} "\\q{} @{} `{} >{} !<{}> ?{} -{} {{{} [{} ]{} <<:{}
"""


@settings(max_examples=300, deadline=None)
@given(
    before=st.lists(LINES, max_size=3),
    key=st.one_of(KEYS, st.just("token")),
    frame=st.sampled_from([*FRAMES.split(), "|\n  {}", "{}: x", "!{}!x y", "{} #", "<<: {}"]),
    after=st.lists(LINES, max_size=2),
)
def test_no_secrets_file_however_broken_has_its_values_in_the_fault(
    file, before, key, frame, after
):
    canary = "Canary8f2c71"
    secrets = file.with_name("secrets.yaml")
    secrets.touch(0o600)
    text = "\n".join([*before, f"{key}: {frame.format(canary)}", *after])
    secrets.write_bytes(text.encode("utf-8", "surrogatepass"))

    lines = _outcome(lambda: read_secrets(file=secrets, environment={}))

    _assert_told_well(lines)
    assert [line for line in lines if canary[:6] in line or canary[-6:] in line] == []


def _sound(field):
    bounds = {
        Kind.TRUTH: st.booleans(),
        Kind.TIME_OF_DAY: st.builds(dt.time, st.integers(0, 23), st.integers(0, 59)),
        Kind.WHOLE: st.integers(-10, 2_000_000),
        Kind.NUMBER: st.floats(-10, 100_000, allow_nan=False),
        Kind.TEXT: st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp", "Cn", "Co"])),
    }
    if field.kind is Kind.CHOICE:
        return st.sampled_from(list(type(field.default)))
    if field.item is not None:
        return st.lists(_sound(field.item), max_size=3).map(tuple)
    return bounds[field.kind]


def _may_be_refused(field, value, lines):
    """Only for its bounds, or because it contradicts another value."""
    outside = all(line.endswith("; choose a value that is allowed") for line in lines)
    contradicts = ("mode live", "thresholds in their order")
    pair = any(f"risk.{path}" == field.path for paths in IN_ORDER for path in paths)
    managing = (f"managing.{path}" for paths in MANAGING_IN_ORDER for path in paths)
    pair = pair or field.path in managing
    bands = {key for pair in STRATEGY_IN_ORDER for key in pair}
    pair = pair or (field.path.startswith("strategy.") and field.name in bands)
    told = any(each in lines[0] for each in contradicts)
    pair = pair or field.path in {"lines.limit", "lines.reserve"} or field.name == "stop_multiple"
    return outside or "backoff" in field.path or pair or told


@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_a_value_written_by_us_is_read_back_exactly_or_refused_by_its_bounds(file, data):
    field = FIELDS[data.draw(st.sampled_from(sorted(FIELDS)))]
    value = data.draw(_sound(field))
    taken = []
    *sections, name = field.path.split(".")
    text = "".join(f"{'  ' * depth}{part}:\n" for depth, part in enumerate(sections))
    text += f"{'  ' * len(sections)}{name}: {written(value)}\n"

    lines = _outcome(lambda: taken.append(_load(file, text.encode()).origins[field.path].value))

    assert [type(each) for each in taken] == [type(value)] * len(taken)
    assert taken == [value] or lines
    assert lines == [] or _may_be_refused(field, value, lines)
