"""Bad input, line by line: what a person reads when a configuration is wrong."""

import datetime as dt
import os

import msgspec
import pytest

from thetawarden.config.loader import fingerprint, load_config
from thetawarden.config.problems import ConfigError
from thetawarden.config.reference import render_defaults
from thetawarden.config.schema import Config, Mode

TOP = ", ".join(Config.__struct_fields__)
DESK = ", ".join(Config().desk.__struct_fields__)
SCHEDULE = ", ".join(Config().schedule.__struct_fields__)
HEDGES = ", ".join(Config().managing.hedges.__struct_fields__)
BROKER = ", ".join(Config().broker.__struct_fields__)
BROKEN = "check the indentation, quotes and brackets here and on the line above"
LIMITS = "20 levels, 10000 values and 32 aliases at most; write less of it"


def _load(folder, text=None, *, environment=None, flags=None):
    file = folder / "thetawarden.yaml"
    if text is not None:
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load_config(
        named_file=None if text is None else file,
        default_file=file,
        environment=environment or {},
        flags=flags or {},
    )


def _lines(folder, text=None, **given):
    with pytest.raises(ConfigError) as caught:
        _load(folder, text, **given)
    return str(caught.value).replace(f"{folder}/thetawarden.yaml", "FILE").split("\n")


BAD_FILES = {
    "unknown key": (
        "desk:\n  heartbeats: 1\n",
        (
            f"FILE:2:3: desk.heartbeats: found an unknown key; allowed: {DESK}; "
            "did you mean heartbeat_s?"
        ),
    ),
    "unknown key cut short": (
        "managing:\n  hedges:\n    part_min: 1\n",
        (
            f"FILE:3:5: managing.hedges.part_min: found an unknown key; allowed: {HEDGES}; "
            "did you mean part_min_fraction?"
        ),
    ),
    "unknown key like nothing": (
        "zzz: 1\n",
        f"FILE:1:1: zzz: found an unknown key; allowed: {TOP}; remove it",
    ),
    "a secret among the settings": (
        "schedule:\n  telegram_token: hunter2hunter2\n",
        (
            f"FILE:2:3: schedule.telegram_token: found an unknown key; allowed: {SCHEDULE}; "
            "secrets come from the environment or the secrets file: "
            "take it out of here"
        ),
    ),
    "duplicate key": (
        "mode: practice\ndesk: {}\nmode: live\n",
        (
            "FILE:3:1: mode: found the key a second time (first on line 1); allowed: each key "
            "once; remove one of the two"
        ),
    ),
    "duplicate section": (
        "desk:\n  heartbeat_s: 1\ndesk:\n  heartbeat_s: 2\n",
        (
            "FILE:3:1: desk: found the key a second time (first on line 1); allowed: each key "
            "once; remove one of the two"
        ),
    ),
    "sexagesimal": (
        "schedule:\n  rotate_at: 9:30\n",
        (
            "FILE:2:14: schedule.rotate_at: found 9:30 unquoted, which YAML reads as a number in "
            'base 60; allowed: a time of day in quotes, "00:00" to "23:59"; quote it: "9:30"'
        ),
    ),
    "time not of the day": (
        'schedule: {rotate_at: "24:00"}\n',
        (
            'FILE:1:23: schedule.rotate_at: found "24:00"; allowed: a time of day in quotes, '
            '"00:00" to "23:59"; write hours and minutes of a 24-hour clock'
        ),
    ),
    "sexagesimal for a number": (
        "desk: {heartbeat_s: 1:30}\n",
        (
            "FILE:1:21: desk.heartbeat_s: found 1:30 unquoted, which YAML reads as a number in "
            "base 60; allowed: a number from 0.05 to 60; write plain decimal digits"
        ),
    ),
    "yes": (
        "broker:\n  i_mean_live: yes\n",
        (
            "FILE:2:16: broker.i_mean_live: found yes (a truth value); allowed: true or false; "
            "write true or false"
        ),
    ),
    "True": (
        "broker: {i_mean_live: True}\n",
        (
            "FILE:1:23: broker.i_mean_live: found True (a truth value); allowed: true or false; "
            "write true or false"
        ),
    ),
    "quoted truth": (
        'broker: {i_mean_live: "true"}\n',
        'FILE:1:23: broker.i_mean_live: found "true"; allowed: true or false; remove the quotes',
    ),
    "NO as text": (
        "broker: {host: NO}\n",
        (
            "FILE:1:16: broker.host: found NO (a truth value); allowed: a host name or address; "
            'quote it: "NO"'
        ),
    ),
    "truth as number": (
        "desk: {heartbeat_s: true}\n",
        (
            "FILE:1:21: desk.heartbeat_s: found true (a truth value); allowed: a number from 0.05 "
            "to 60; write plain decimal digits"
        ),
    ),
    "NaN": (
        "desk: {heartbeat_s: .nan}\n",
        (
            "FILE:1:21: desk.heartbeat_s: found .nan (a number); allowed: a number from 0.05 to "
            "60; write a finite number"
        ),
    ),
    "infinity": (
        "desk: {heartbeat_s: .inf}\n",
        (
            "FILE:1:21: desk.heartbeat_s: found .inf (a number); allowed: a number from 0.05 to "
            "60; write a finite number"
        ),
    ),
    "infinity by exponent": (
        "desk: {heartbeat_s: 1e999}\n",
        (
            "FILE:1:21: desk.heartbeat_s: found 1e999; allowed: a number from 0.05 to 60; "
            "write a finite number"
        ),
    ),
    "quoted number": (
        'desk: {heartbeat_s: "1"}\n',
        (
            'FILE:1:21: desk.heartbeat_s: found "1"; allowed: a number from 0.05 to 60; '
            "remove the quotes"
        ),
    ),
    "unit behind": (
        "desk: {heartbeat_s: 5s}\n",
        (
            "FILE:1:21: desk.heartbeat_s: found 5s; allowed: a number from 0.05 to 60; "
            "write the number alone; the unit is in the key's name"
        ),
    ),
    "below the bound": (
        "desk: {heartbeat_s: 0}\n",
        (
            "FILE:1:21: desk.heartbeat_s: found 0 (a number); allowed: a number from 0.05 to 60; "
            "choose a value that is allowed"
        ),
    ),
    "above the bound": (
        "broker: {port: 65536}\n",
        (
            "FILE:1:16: broker.port: found 65536 (a number); allowed: a whole number from 1 to "
            "65535; choose a value that is allowed"
        ),
    ),
    "fraction for whole": (
        "broker: {port: 4002.5}\n",
        (
            "FILE:1:16: broker.port: found 4002.5 (a number); allowed: a whole number from 1 to "
            "65535; write it without a fraction"
        ),
    ),
    "hexadecimal": (
        "broker: {port: 0x10}\n",
        (
            "FILE:1:16: broker.port: found 0x10 (a number); allowed: a whole number from 1 to "
            "65535; write plain decimal digits"
        ),
    ),
    "nothing": (
        "desk:\n  heartbeat_s:\n",
        (
            "FILE:2:15: desk.heartbeat_s: found nothing; allowed: a number from 0.05 to 60; "
            "write a value or remove the line"
        ),
    ),
    "choice": (
        "mode: papr\n",
        "FILE:1:7: mode: found papr; allowed: one of practice, paper, live; did you mean paper?",
    ),
    "list for value": (
        "mode: [paper]\n",
        "FILE:1:7: mode: found a list; allowed: one of practice, paper, live; write a single value",
    ),
    "value for list": (
        "logs: {quiet: ib_async}\n",
        (
            "FILE:1:15: logs.quiet: found ib_async; allowed: a list of loggers' names; "
            "write the values in brackets: [first, second]"
        ),
    ),
    "number in list": (
        "logs:\n  quiet:\n    - ib_async\n    - 5\n",
        'FILE:4:7: logs.quiet: found 5 (a number); allowed: a logger\'s name; quote it: "5"',
    ),
    "value for section": (
        "broker: 5\n",
        (
            f"FILE:1:9: broker: found 5 (a number); allowed: a section with {BROKER}; "
            "name a key below broker"
        ),
    ),
    "list on top": (
        "- mode\n",
        f"FILE:1:1: found a list; allowed: a section with {TOP}; write `key: value` lines",
    ),
    "text on top": (
        "practice\n",
        f"FILE:1:1: found practice; allowed: a section with {TOP}; write `key: value` lines",
    ),
    "tab": (
        "desk:\n\theartbeat_s: 1\n",
        "FILE:2:1: found a tab; allowed: spaces for indentation; replace the tab by spaces",
    ),
    "broken": (
        "desk: {heartbeat_s: 1\nmode: live\n",
        "FILE:2:5: found broken YAML (expected ',' or '}', but got ':'); allowed: valid YAML; "
        + BROKEN,
    ),
    "not UTF-8": (
        b"mode: practice\nbroker: {host: gr\xfcn}\n",
        "FILE:2:18: found the byte 0xfc; allowed: UTF-8 text; save the file as UTF-8",
    ),
    "UTF-16": (
        "mode: live".encode("utf-16"),
        "FILE:1:1: found the byte 0xff; allowed: UTF-8 text; save the file as UTF-8",
    ),
    "control character": (
        b"mode: practice\ndesk: \x07\n",
        "FILE:2:7: found the character U+0007; allowed: printable characters; remove it",
    ),
    "tag": (
        "mode: !!python/object/apply:os.system [ls]\n",
        "FILE:1:7: found a tag; allowed: plain values, lists and sections; remove the tag",
    ),
    "merge key": (
        "a: &a {b: 1}\ndesk:\n  <<: *a\n",
        "FILE:3:3: found the key <<; allowed: plain names as keys; write every key out",
    ),
    "list as key": (
        "? [a]\n: b\n",
        (
            "FILE:1:1: found a list or section as a key; allowed: plain names as keys; "
            "write every key out"
        ),
    ),
    "second document": (
        "mode: practice\n---\nmode: live\n",
        "FILE:2:1: found a second document; allowed: one document a file; remove the line ---",
    ),
    "deep": (
        "[" * 50,
        f"FILE:1:21: found a file too deep or too large; allowed: {LIMITS}",
    ),
    "alias of itself": (
        "logs:\n  quiet: &a [*a]\n",
        (
            "FILE:2:14: found an alias of nothing; allowed: aliases of values above them; "
            "write the value itself"
        ),
    ),
    "alias bomb": (
        (
            "a: &a [1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
            "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"
            "e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\n"
        ),
        f"FILE:5:8: found a file too deep or too large; allowed: {LIMITS}",
    ),
    "many aliases": (
        "a: &a 1\nb: [" + ", ".join(["*a"] * 33) + "]\n",
        f"FILE:2:133: found a file too deep or too large; allowed: {LIMITS}",
    ),
    "character beyond Unicode": (
        'mode: "\\U00110000"\n',
        (
            "FILE: found an escape or version number that no character or version has; allowed: "
            "valid YAML; check the text after each backslash and % sign"
        ),
    ),
    "half a surrogate pair": (
        'broker: {host: "\\ud800"}\n',
        (
            "FILE:1:16: found half of a surrogate pair; allowed: whole characters; "
            "write the character itself"
        ),
    ),
    "a forged line": (
        'mode: "x\\nFILE:1:1: all is well\\x1b[31m"\n',
        (
            'FILE:1:7: mode: found "x\\nFILE:1:1: all is well\\x1b[31m"; allowed: one of practice, '
            "paper, live; choose one of them"
        ),
    ),
    "paper on a live port": (
        "mode: paper\nbroker:\n  port: 4001\n",
        (
            "FILE:3:9: broker.port: found 4001, a live gateway's port, in mode paper; allowed: "
            "4002 (paper gateway), 7497 (paper TWS) or another; name the paper gateway's port"
        ),
    ),
    "paper with a real account": (
        "mode: paper\nbroker: {account: U7654321}\n",
        (
            "FILE:2:19: broker.account: found a real account (ending in 21) in mode paper; "
            "allowed: a paper account (DU..., DF...) or none; name the paper account, or choose "
            "mode live if you mean real money"
        ),
    ),
    "live with a paper account": (
        "mode: live\nbroker: {account: DU7654321, port: 7496, i_mean_live: true}\n",
        (
            "FILE:2:19: broker.account: found a paper account in mode live; allowed: the one real "
            "account to trade; name it, or choose mode paper"
        ),
    ),
    "live without meaning it": (
        "mode: live\nbroker: {account: U7654321, port: 7496}\n",
        (
            "default: broker.i_mean_live: found false in mode live; allowed: true: real money is "
            "traded; set it to true if you mean it, or choose mode paper"
        ),
    ),
    "backoff turned round": (
        "supervisor:\n  trading:\n    backoff_min_s: 9\n",
        (
            "FILE:3:20: supervisor.trading.backoff_min_s: found 9.0, more than backoff_max_s; "
            "allowed: at most 5.0; lower it, or raise backoff_max_s"
        ),
    ),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_c02_c03_x06_a_bad_file_is_one_line_with_place_path_found_allowed_and_remedy(
    tmp_path, case
):
    text, line = BAD_FILES[case]

    lines = _lines(tmp_path, text)

    assert lines == [line]


def test_all_faults_are_told_at_once_in_the_order_of_the_file(tmp_path):
    lines = _lines(tmp_path, "mode: x\ndesk: {heartbeat_s: no}\nbroker: {port: 0, prt: 1}\n")

    assert [line.split(": found")[0] for line in lines] == [
        "FILE:1:7: mode",
        "FILE:2:21: desk.heartbeat_s",
        "FILE:3:16: broker.port",
        "FILE:3:19: broker.prt",
    ]


def test_a_fault_in_the_file_counts_even_when_the_environment_overrides_the_key(tmp_path):
    lines = _lines(tmp_path, "mode: x\n", environment={"THETAWARDEN__MODE": "practice"})

    assert lines[0].startswith("FILE:1:7: mode: found x;")


def test_a_flag_goes_before_the_environment_before_the_file_before_the_default(tmp_path):
    text = "desk: {heartbeat_s: 2, handler_budget_s: 2, start_timeout_s: 2}\n"
    environment = {
        "THETAWARDEN__DESK__HEARTBEAT_S": "3",
        "THETAWARDEN__DESK__HANDLER_BUDGET_S": "3",
        "THETAWARDEN_HOME": "/nowhere",
    }

    loaded = _load(tmp_path, text, environment=environment, flags={"desk.heartbeat_s": "4"})

    desk = loaded.config.desk
    assert (
        desk.heartbeat_s,
        desk.handler_budget_s,
        desk.start_timeout_s,
        desk.stop_deadline_s,
    ) == (
        4.0,
        3.0,
        2.0,
        5.0,
    )
    assert [
        loaded.origins[f"desk.{name}"].source.replace(str(tmp_path), "")
        for name in desk.__struct_fields__
    ] == [
        "flag --desk.heartbeat-s",
        "environment THETAWARDEN__DESK__HANDLER_BUDGET_S",
        "/thetawarden.yaml:1",
        "default",
    ]


def test_the_environment_needs_no_quotes_and_writes_lists_with_commas(tmp_path):
    loaded = _load(
        tmp_path,
        environment={
            "THETAWARDEN__SCHEDULE__ROTATE_AT": "9:30",
            "THETAWARDEN__LOGS__QUIET": "a, b",
            "THETAWARDEN__BROKER__I_MEAN_LIVE": "true",
            "THETAWARDEN__BROKER__ACCOUNT": "",
        },
    )

    assert loaded.config.schedule.rotate_at == dt.time(9, 30)
    assert loaded.config.logs.quiet == ("a", "b")
    assert loaded.config.broker.i_mean_live is True


BAD_ENVIRONMENT = {
    "bytes that are no UTF-8": (
        {"THETAWARDEN__BROKER__HOST": os.fsdecode(b"gr\xfcn")},
        (
            'environment THETAWARDEN__BROKER__HOST: broker.host: found "gr\\udcfcn"; allowed: a '
            "host name or address; write it in UTF-8"
        ),
    ),
    "unknown section": (
        {"THETAWARDEN__DSK__HEARTBEAT_S": "1"},
        (
            "environment THETAWARDEN__DSK__HEARTBEAT_S: dsk: found an unknown key; allowed: "
            f"{TOP}; did you mean desk?"
        ),
    ),
    "a whole section": (
        {"THETAWARDEN__DESK": "1"},
        (
            'environment THETAWARDEN__DESK: desk: found "1"; allowed: a section with '
            f"{DESK}; name a key below desk"
        ),
    ),
    "small letters": (
        {"THETAWARDEN__desk__HEARTBEAT_S": "1"},
        (
            "environment THETAWARDEN__desk__HEARTBEAT_S: found a variable with small letters; "
            "allowed: capital letters, so that no key is set twice; rename it"
        ),
    ),
    "below a key": (
        {"THETAWARDEN__MODE__X": "1"},
        (
            "environment THETAWARDEN__MODE__X: mode.x: found an unknown key; allowed: no key below "
            "this one; remove it"
        ),
    ),
    "empty": (
        {"THETAWARDEN__MODE": ""},
        (
            'environment THETAWARDEN__MODE: mode: found ""; allowed: one of practice, paper, live; '
            "choose one of them"
        ),
    ),
    "an unknown key with a secret value": (
        {"THETAWARDEN__SCHEDULE__TOKEN": "hunter2hunter2"},
        (
            "environment THETAWARDEN__SCHEDULE__TOKEN: schedule.token: found an unknown key; "
            f"allowed: {SCHEDULE}; secrets come from the environment or the "
            "secrets file: take it out of here"
        ),
    ),
}


@pytest.mark.parametrize("case", BAD_ENVIRONMENT)
def test_a_bad_variable_is_one_line_too(tmp_path, case):
    environment, line = BAD_ENVIRONMENT[case]

    assert _lines(tmp_path, environment=environment) == [line]


def test_a_bad_flag_is_named_as_it_was_typed(tmp_path):
    assert _lines(tmp_path, flags={"mode": "demo"}) == [
        'flag --mode: mode: found "demo"; allowed: one of practice, paper, live; choose one of them'
    ]


def test_c01_a_named_file_must_exist_and_the_default_one_need_not(tmp_path):
    missing = tmp_path / "none.yaml"

    loaded = load_config(named_file=None, default_file=missing, environment={}, flags={})
    with pytest.raises(ConfigError) as caught:
        load_config(named_file=missing, default_file=missing, environment={}, flags={})

    assert (loaded.config, loaded.file) == (Config(), None)
    assert str(caught.value) == (
        f"{missing}: found no file; allowed: a file that exists; check the path given to --config"
    )
    assert caught.value.exit_code == 2


def test_x06_a_file_of_over_one_mebibyte_is_refused_unread(tmp_path):
    assert _lines(tmp_path, b"#" * (1 << 20) + b"\n") == [
        (
            "FILE: found more than 1048576 bytes; allowed: at most 1048576 bytes; "
            "check that this is the file you mean"
        )
    ]


def test_a_file_of_exactly_one_mebibyte_is_read(tmp_path):
    text = b"mode: paper\n#"

    assert _load(tmp_path, text + b"#" * ((1 << 20) - len(text))).config.mode is Mode.PAPER


def test_a_file_that_may_not_be_read_says_so(as_nobody):
    file = as_nobody / "thetawarden.yaml"
    file.write_text("mode: paper\n")
    file.chmod(0)

    with pytest.raises(ConfigError) as caught:
        load_config(named_file=None, default_file=file, environment={}, flags={})

    assert str(caught.value) == (
        f"{file}: found a file that cannot be read (Permission denied); allowed: a file this user "
        "may read; check its path and permissions"
    )


@pytest.mark.parametrize("name", ["a\0b", "x" * 300, "a\nb"])
def test_an_impossible_path_is_one_line(tmp_path, name):
    file = tmp_path / name

    with pytest.raises(ConfigError) as caught:
        load_config(named_file=file, default_file=file, environment={}, flags={})

    assert str(caught.value).isprintable()


def test_line_ends_of_another_system_are_read(tmp_path):
    loaded = _load(tmp_path, "mode: paper\r\ndesk:\r\n  heartbeat_s: 2\r\n")

    assert (loaded.config.mode, loaded.config.desk.heartbeat_s) == (Mode.PAPER, 2.0)
    assert loaded.origins["desk.heartbeat_s"].source.endswith(":3")


def test_a_folder_or_a_pipe_in_place_of_the_file_is_refused_without_waiting(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    said = []
    for path in (tmp_path, pipe):
        with pytest.raises(ConfigError) as caught:
            load_config(named_file=path, default_file=path, environment={}, flags={})
        said.append(str(caught.value).split(";")[0])

    assert said == [f"{tmp_path}: found a folder", f"{pipe}: found no regular file"]


def test_a_file_that_everybody_may_write_is_refused_with_the_command_that_closes_it(tmp_path):
    file = tmp_path / "thetawarden.yaml"
    file.write_text("mode: practice\n")
    file.chmod(0o666)

    with pytest.raises(ConfigError) as caught:
        load_config(named_file=file, default_file=file, environment={}, flags={})

    assert str(caught.value) == (
        f"{file}: found a configuration that everybody may write; allowed: a file that only "
        f"trusted users may write; close it: chmod o-w {file}"
    )


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "desk:\n", "\ufeffmode: practice\n"])
def test_an_empty_file_or_section_leaves_the_defaults(tmp_path, text):
    assert _load(tmp_path, text).config == Config()


def test_a_sound_alias_is_read_where_it_is_used(tmp_path):
    loaded = _load(tmp_path, "desk:\n  heartbeat_s: &two 2\n  start_timeout_s: *two\n")

    assert loaded.config.desk.start_timeout_s == 2.0


def test_the_rendered_defaults_load_back_to_exactly_the_defaults_every_key_from_the_file(tmp_path):
    loaded = _load(tmp_path, render_defaults())

    assert loaded.config == Config()
    assert {origin.source.split(":")[0] for origin in loaded.origins.values()} == {
        str(tmp_path / "thetawarden.yaml")
    }


def test_equal_configurations_have_one_fingerprint_however_they_came_about(tmp_path):
    by_default = _load(tmp_path)
    by_file = _load(tmp_path, render_defaults())
    other = msgspec.structs.replace(Config(), mode=Mode.PAPER)

    assert by_default.fingerprint == by_file.fingerprint == fingerprint(Config())
    assert fingerprint(other) != by_default.fingerprint
