"""The data folder: where it is, and what makes it unusable."""

import os
from pathlib import Path

import pytest

from thetawarden.config.places import data_folder, prepare_folder, store_folder
from thetawarden.config.problems import ConfigError
from thetawarden.config.schema import Mode


def test_the_flag_goes_before_the_variable_before_the_platform(tmp_path):
    environment = {"THETAWARDEN_HOME": str(tmp_path / "home")}

    assert data_folder(flag=str(tmp_path / "flag"), environment=environment) == tmp_path / "flag"
    assert data_folder(flag=None, environment=environment) == tmp_path / "home"
    assert data_folder(flag=None, environment={}).name == "thetawarden"


def test_every_mode_and_account_has_a_store_of_its_own():
    folders = {
        store_folder(Path("data"), mode=mode, account=account)
        for mode in Mode
        for account in ("", "DU1234567")
    }

    assert len(folders) == 6


def test_a_prepared_folder_is_for_its_owner_only(tmp_path):
    folder = prepare_folder(tmp_path / "a" / "b")

    assert folder.stat().st_mode & 0o777 == 0o700
    assert prepare_folder(folder) == folder


def test_a_folder_others_write_to_is_refused_with_the_remedy(tmp_path):
    tmp_path.chmod(0o777)

    with pytest.raises(ConfigError) as caught:
        prepare_folder(tmp_path)

    assert str(caught.value) == (
        f"{tmp_path}: found a folder that others may write to; allowed: a folder of this user that "
        f"only this user writes to; mend it (chown, chmod 700 {tmp_path}) or name another with "
        "--data-dir"
    )


def test_a_file_in_the_way_is_refused_in_one_line(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(ConfigError) as caught:
        prepare_folder(tmp_path / "file" / "data")

    assert str(caught.value).startswith(
        f"{tmp_path}/file/data: found a folder that cannot be made (Not a directory);"
    )


def test_a_read_only_folder_is_refused(as_nobody):
    as_nobody.chmod(0o500)

    with pytest.raises(ConfigError) as caught:
        prepare_folder(as_nobody)

    assert str(caught.value).startswith(
        f"{as_nobody}: found a folder that cannot be written (Permission denied);"
    )


def test_a_folder_of_somebody_else_is_refused(as_nobody):
    if os.getuid() != 0:
        pytest.skip("only root can be somebody else")
    os.seteuid(0)

    with pytest.raises(ConfigError, match="a folder that others may write to"):
        prepare_folder(as_nobody)


def test_checking_a_folder_leaves_nothing_in_it(tmp_path):
    prepare_folder(tmp_path / "data")

    assert list((tmp_path / "data").iterdir()) == []
