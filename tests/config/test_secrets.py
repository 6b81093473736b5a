"""Secrets: who may hold the file, and every way by which a value might slip out."""

import copy
import json
import os
import pickle

import msgspec
import pytest

from thetawarden.config.problems import ConfigError
from thetawarden.config.secrets import Secret, known_values, names_a_secret, read_secrets

CANARY = "canary-8f2c71"


def _file(folder, text, mode=0o600):
    file = folder / "secrets.yaml"
    file.write_text(text)
    file.chmod(mode)
    return file


def _line(file, environment=None):
    with pytest.raises(ConfigError) as caught:
        read_secrets(file=file, environment=environment or {})
    return str(caught.value).replace(str(file), "FILE")


def test_secrets_come_from_the_file_and_the_environment_goes_before_it(tmp_path):
    file = _file(tmp_path, "flex_token: from-the-file\ntelegram: 'also-in-file'\n")

    secrets = read_secrets(file=file, environment={"THETAWARDEN_SECRET_FLEX_TOKEN": "from-outside"})

    assert {name: secret.reveal() for name, secret in secrets.items()} == {
        "flex_token": "from-outside",
        "telegram": "also-in-file",
    }


def test_no_file_is_no_secrets(tmp_path):
    assert read_secrets(file=tmp_path / "none.yaml", environment={"HOME": "/"}) == {}


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o666, 0o644, 0o610, 0o601, 0o777])
def test_a_file_others_may_open_is_refused_with_the_command_that_closes_it(tmp_path, mode):
    file = _file(tmp_path, f"token: {CANARY}\n", mode)

    assert _line(file) == (
        f"FILE: found a secrets file that others may open (mode {mode:04o}); allowed: mode 0600: "
        "only its owner; close it: chmod 600 FILE"
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_another_user_is_refused(tmp_path):
    file = _file(tmp_path, f"token: {CANARY}\n")
    os.chown(file, 12345, 12345)

    assert _line(file) == (
        "FILE: found a secrets file of user 12345; allowed: a file of user 0, who runs the desk; "
        "chown it: chown 0 FILE"
    )


BAD_LINES = {
    "too short": ("token: abc\n", "FILE:1:1: token: found a value of 3 characters"),
    "twice": (
        f"token: {CANARY}\ntoken: {CANARY}\n",
        "FILE:2:1: token: found the name a second time",
    ),
    "a number": ("token: 1234567890\n", "FILE:1:1: token: found something that is no text"),
    "a list": (f"token: [{CANARY}]\n", "FILE:1:1: token: found something that is no text"),
    "no mapping": (f"{CANARY}\n", "FILE: found no list of names and values"),
    "a value as a name": (f"{CANARY}: {CANARY}\n", "FILE:1:1: found a name that is none"),
    "broken": (f'token: "{CANARY}\n', "FILE:2:1: found broken YAML"),
    "a tag": (f"token: !{CANARY} x\n", "FILE:1:8: found a tag"),
    "an alias": (f"token: *{CANARY}\n", "FILE:1:8: found an alias"),
}


@pytest.mark.parametrize("case", BAD_LINES)
def test_a_bad_secrets_file_is_told_without_any_of_its_values(tmp_path, case):
    text, beginning = BAD_LINES[case]

    line = _line(_file(tmp_path, text))

    assert line.startswith(beginning)
    assert CANARY not in line
    assert "\n" not in line


def test_a_bad_variable_is_told_without_its_value(tmp_path):
    line = _line(tmp_path / "none", {"THETAWARDEN_SECRET_TOKEN": "shorty"})

    assert line.startswith("environment THETAWARDEN_SECRET_TOKEN: token: found a value of 6")
    assert "shorty" not in line


def test_a_variable_with_small_letters_is_refused_lest_a_secret_be_given_twice(tmp_path):
    line = _line(tmp_path / "none", {"THETAWARDEN_SECRET_Token": CANARY})

    assert line.startswith("environment THETAWARDEN_SECRET_Token: found a name that is none;")
    assert CANARY not in line


def test_a_secret_shows_stars_however_it_is_printed():
    secret = Secret(CANARY)

    shown = [
        repr(secret),
        str(secret),
        f"{secret}",
        f"{secret:>20}",
        f"{secret!r}",
        str([secret])[1:-1],
    ]

    assert shown == ["***"] * 6
    assert repr({"a": [secret]}) == "{'a': [***]}"


@pytest.mark.parametrize(
    "leak",
    [
        msgspec.json.encode,
        msgspec.msgpack.encode,
        msgspec.to_builtins,
        json.dumps,
        pickle.dumps,
        copy.copy,
        copy.deepcopy,
        hash,
        bytes,
        list,
        vars,
    ],
    ids=lambda leak: f"{leak.__module__}.{leak.__name__}",
)
def test_a_secret_refuses_to_be_encoded_pickled_copied_or_hashed(leak):
    with pytest.raises(TypeError) as caught:
        leak(Secret(CANARY))

    assert CANARY not in str(caught.value)


def test_a_struct_that_holds_a_secret_does_not_encode_and_shows_stars():
    class Holder(msgspec.Struct):
        token: Secret

    holder = Holder(Secret(CANARY))

    with pytest.raises(TypeError):
        msgspec.json.encode(holder)
    assert CANARY not in repr(holder)


def test_secrets_are_equal_by_value_and_equal_to_nothing_else():
    assert Secret(CANARY) == Secret(CANARY)
    assert Secret(CANARY) != Secret(CANARY + "x")
    assert Secret("grün-grün-grün") == Secret("grün-grün-grün")
    assert Secret(CANARY) != CANARY


def test_the_redaction_knows_a_secret_from_its_first_moment_and_never_forgets_it():
    secret = Secret("living-canary-1")
    before = known_values()

    del secret

    assert "living-canary-1" in before
    assert "living-canary-1" in known_values()


@pytest.mark.parametrize(
    ("key", "secret"),
    [
        ("token", True),
        ("Authorization", True),
        ("apiKey", True),
        ("API-KEY", True),
        ("db_password", True),
        ("PASSWD", True),
        ("clientSecret", True),
        ("order_key", False),
        ("author", False),
        ("spin", False),
        ("heartbeat_s", False),
    ],
)
def test_a_key_is_known_by_its_name(key, secret):
    assert names_a_secret(key) is secret
