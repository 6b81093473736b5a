"""`thetawarden lake`: with a running desk, without one, and on what is wrong."""

import contextlib

import pytest

from tests.cli.shell import Shell, one_line_error, wait_for


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    with contextlib.closing(Shell(tmp_path_factory.mktemp("lake") / "data")) as each:
        each.extra = {"THETAWARDEN__LAKE__FLUSH_S": "0.2"}
        each.process = each.start()
        assert each("actor", "pause", "scheduler").code == 0  # which a person is told of
        assert each("resume", "--reason", "there is no halt to lift").code == 3
        yield each


def notes(shell):
    done = shell("lake", "query", "SELECT text FROM notifications ORDER BY seq", "--json")
    return [row["text"] for row in done.json] if done.code == 0 else []


def table(shell, name):
    done = shell("lake", "info", "--json")
    return next(each for each in done.json["tables"] if each["table"] == name)


def test_a_running_desk_fills_the_lake_and_answers_questions_to_it(desk):
    wait_for(lambda: table(desk, "account_updates")["schema_version"] == 1)

    assert table(desk, "notifications")["lag"] == 0
    done = desk("lake", "query", "SELECT count(*) AS n FROM account_updates", "--json")
    assert done.json == [{"n": 0}]


def test_every_table_is_shown_for_eyes_and_as_json(desk):
    shown = desk("lake", "info")

    assert shown.code == 0
    assert "option_snapshots" in shown.out
    assert "message_archive" in shown.out
    assert {"table", "rows", "files", "bytes", "watermark", "lag"} <= set(table(desk, "fills"))


def test_housekeeping_by_hand_works_beside_a_running_desk(desk):
    done = desk("lake", "maintain", "--json")

    assert done.code == 0, (done.out, done.err)
    assert done.json["faults"] == []


def test_a_table_is_not_written_anew_under_a_running_desk(desk):
    line = one_line_error(desk("lake", "maintain", "--rebuild", "fills"), 3)

    assert "already runs" in line


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("DELETE FROM fills", "read only"),
        ("DROP TABLE fills", "read only"),
        ("SELECT nothing FROM fills", "nothing"),
        ("SELECT * FROM nowhere", "nowhere"),
        ("SELECT (", "refused"),
        ("", "read only"),
    ],
)
def test_a_question_that_cannot_be_answered_is_one_line(desk, sql, says):
    assert says in one_line_error(desk("lake", "query", sql), 2)


def test_a_lake_nobody_wrote_is_said_to_be_so(shell):
    assert "run a desk there first" in one_line_error(shell("lake", "info"), 2)
    (shell.data / "practice").mkdir(parents=True)

    assert all(each["rows"] == 0 for each in shell("lake", "info", "--json").json["tables"])
    one_line_error(shell("lake", "query", "SELECT * FROM fills"), 2)
    one_line_error(shell("lake", "maintain", "--rebuild", "no_such_table"), 3)


def test_after_the_desk_the_lake_can_be_read_tidied_and_written_anew(tmp_path):
    with contextlib.closing(Shell(tmp_path / "data")) as shell:
        shell.extra = {"THETAWARDEN__LAKE__FLUSH_S": "0.2"}
        desk = shell.start()
        wait_for(lambda: table(shell, "notifications")["schema_version"] == 1)
        assert shell.end(desk)[0] == 0

        assert shell("lake", "maintain").code == 0
        assert shell("lake", "maintain", "--rebuild", "notifications", "--json").json["rows"] == 0
        assert shell("lake", "query", "SELECT * FROM notifications").code == 0


def test_an_option_that_is_a_secret_is_refused(shell):
    shell.extra = {
        "THETAWARDEN__LAKE__URL": "s3://bucket/lake",
        "THETAWARDEN__LAKE__OPTIONS": "aws_secret_access_key=abcdefgh",
    }
    (shell.data / "practice").mkdir(parents=True)

    line = one_line_error(shell("lake", "info"), 2)

    assert "lake_aws_secret_access_key" in line
    assert "abcdefgh" not in line
