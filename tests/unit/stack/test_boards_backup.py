"""Every board of a Grafana into a file and back: folders, addresses, twice, elsewhere, and what is refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result
from grafana_support import PASSWORD, TOKEN, GrafanaOfTests, serving

from otel_trading.cli.boards import command
from otel_trading.errors import ConfigError, OtelTradingError, StackError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def here() -> Iterator[GrafanaOfTests]:
    with serving() as grafana:
        grafana.add_folder("desk", "Desk")
        grafana.add_folder("deep/er", "Deeper", "desk")
        _save(grafana, "top", "Top", "")
        _save(grafana, "mine", 'My "board" \u20bf/\u20ac', "desk")
        _save(grafana, "inner", "Inner", "deep/er")
        yield grafana


@pytest.fixture
def there() -> Iterator[GrafanaOfTests]:
    with serving() as grafana:
        yield grafana


@pytest.fixture(autouse=True)
def _no_grafana_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("URL", "TOKEN", "USER", "PASSWORD"):
        monkeypatch.delenv(f"GRAFANA_{name}", raising=False)


def _save(grafana: GrafanaOfTests, uid: str, title: str, folder: str) -> None:
    board = {"uid": uid, "title": title, "panels": [{"type": "stat", "id": 7}], "schemaVersion": 37}
    status, answer = grafana.save(board, folder, overwrite=True)
    assert status == 200, answer


def _run(what: str, file: Path, grafana: GrafanaOfTests, *more: str, exit_code: int = 0) -> Result:
    environment: dict[str, str] = {} if any("-file" in each for each in more) else {"GRAFANA_TOKEN": TOKEN}
    done = CliRunner().invoke(command, [what, str(file), "--url", grafana.url, *more], env=environment)
    if isinstance(done.exception, OtelTradingError):
        raise done.exception
    assert done.exit_code == exit_code, done.output
    return done


def _restore(file: Path, grafana: GrafanaOfTests, exit_code: int = 0) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(_run("restore", file, grafana, "--json", exit_code=exit_code).stdout)
    return {what: which for what, which in said.items() if which}


def _contents(grafana: GrafanaOfTests) -> dict[str, Any]:
    return {
        uid: (each["folder"], {key: value for key, value in each["dashboard"].items() if key not in {"id", "version"}})
        for uid, each in grafana.boards.items()
    }


@pytest.mark.seed("S3-60", "S4-22")
def test_boards_come_back_in_another_grafana_with_address_folder_and_content(
    here: GrafanaOfTests, there: GrafanaOfTests, tmp_path: Path
) -> None:
    done = _run("backup", tmp_path / "b.json", here)
    assert done.stdout == f"3 boards in {tmp_path / 'b.json'}\n"
    assert here.written == []
    assert _restore(tmp_path / "b.json", there) == {"created": ["inner", "mine", "top"]}
    assert _contents(there) == _contents(here)
    folders = [{uid: (each["title"], each["parentUid"]) for uid, each in g.folders.items()} for g in (here, there)]
    assert folders[0] == folders[1] == {"desk": ("Desk", ""), "deep/er": ("Deeper", "desk")}


def test_a_second_time_changes_nothing_and_what_was_lost_or_spoilt_is_mended(
    here: GrafanaOfTests, tmp_path: Path
) -> None:
    file, before = tmp_path / "b.json", _contents(here)
    _run("backup", file, here)
    assert _restore(file, here) == {"unchanged": ["inner", "mine", "top"]}
    assert here.written == []
    del here.boards["top"]
    here.boards["mine"]["dashboard"]["panels"] = []
    here.boards["inner"]["folder"] = ""
    _save(here, "newer", "Newer than the backup", "")
    assert _restore(file, here) == {"created": ["top"], "changed": ["inner", "mine"]}
    assert {uid: each for uid, each in _contents(here).items() if uid != "newer"} == before
    assert "newer" in here.boards, "restoring deletes nothing"


def test_boards_from_files_are_saved_and_left_to_the_files(here: GrafanaOfTests, tmp_path: Path) -> None:
    here.provisioned.add("mine")
    _run("backup", tmp_path / "b.json", here)
    here.boards["mine"]["dashboard"]["panels"] = []
    assert _restore(tmp_path / "b.json", here) == {"from_files": ["mine"], "unchanged": ["inner", "top"]}


def test_a_folder_of_the_same_name_is_the_same_folder(
    here: GrafanaOfTests, there: GrafanaOfTests, tmp_path: Path
) -> None:
    there.add_folder("other-uid", "Desk")
    _run("backup", tmp_path / "b.json", here)
    assert _restore(tmp_path / "b.json", there) == {"created": ["inner", "mine", "top"]}
    assert there.boards["mine"]["folder"] == "other-uid"
    assert there.folders["deep/er"]["parentUid"] == "other-uid"
    assert _restore(tmp_path / "b.json", there) == {"unchanged": ["inner", "mine", "top"]}


def test_a_board_of_the_same_title_is_not_swallowed_and_the_others_come_back(
    here: GrafanaOfTests, there: GrafanaOfTests, tmp_path: Path
) -> None:
    _save(there, "somebody-elses", "Top", "")
    _run("backup", tmp_path / "b.json", here)
    restored = _restore(tmp_path / "b.json", there, exit_code=1)
    assert restored["created"] == ["inner", "mine"]
    assert "A dashboard with the same name in the folder already exists" in restored["refused"]["top"]
    assert "somebody-elses" in there.boards


def test_more_boards_than_a_page_of_a_search(here: GrafanaOfTests, tmp_path: Path) -> None:
    for number in range(1_000):
        _save(here, f"b{number}", f"Board {number:04}", "")
    _run("backup", tmp_path / "b.json", here)
    assert set(json.loads((tmp_path / "b.json").read_text())["boards"]) == set(here.boards)


def test_no_board_at_all_is_a_backup_too(there: GrafanaOfTests, tmp_path: Path) -> None:
    _run("backup", tmp_path / "b.json", there)
    assert _restore(tmp_path / "b.json", there) == {}


@pytest.mark.parametrize(
    ("text", "words"), [(None, "cannot be read"), ("{", "cannot be read"), ("{}", "is not a backup")]
)
def test_what_is_no_backup_is_refused_before_anything_changes(
    there: GrafanaOfTests, tmp_path: Path, text: str | None, words: str
) -> None:
    if text is not None:
        (tmp_path / "b.json").write_text(text)
    with pytest.raises(ConfigError, match=words):
        _restore(tmp_path / "b.json", there)
    assert there.asked == []


def test_a_user_comes_in_with_the_password_in_a_file_and_nobody_else(here: GrafanaOfTests, tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text(f"{PASSWORD}\n")
    _run("backup", tmp_path / "b.json", here, "--password-file", str(secret))
    before = (tmp_path / "b.json").read_text()
    secret.write_text("wrong")
    with pytest.raises(StackError, match=r"lets nobody in with this \(401: invalid username or password\)"):
        _run("backup", tmp_path / "b.json", here, "--password-file", str(secret))
    assert (tmp_path / "b.json").read_text() == before, "a backup that failed leaves the last one"
    secret.write_text("")
    with pytest.raises(ConfigError, match="one secret on one line"):
        _run("backup", tmp_path / "b.json", here, "--token-file", str(secret))


def test_without_a_secret_it_says_how_to_give_one(here: GrafanaOfTests, tmp_path: Path) -> None:
    done = CliRunner().invoke(command, ["backup", str(tmp_path / "b.json"), "--url", here.url])
    assert isinstance(done.exception, ConfigError)
    assert "--token-file FILE" in str(done.exception)
    assert here.asked == []


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("localhost:3000", "got 'localhost:3000'"),
        ("http://admin:hunter2@127.0.0.1:3000", "holds a user or a password"),
        ("http://127.0.0.1:1", "does not answer on http://127.0.0.1:1"),
    ],
)
def test_an_address_that_is_none_is_refused_in_a_sentence(url: str, words: str, tmp_path: Path) -> None:
    done = CliRunner().invoke(command, ["backup", str(tmp_path / "b.json"), "--url", url], env={"GRAFANA_TOKEN": TOKEN})
    assert isinstance(done.exception, OtelTradingError)
    assert words in str(done.exception)
    assert "hunter2" not in str(done.exception)


def test_a_password_follows_no_redirect(here: GrafanaOfTests, there: GrafanaOfTests, tmp_path: Path) -> None:
    here.moved_to = there.url
    with pytest.raises(StackError, match=f"sends us on to {there.url}.* --url"):
        _run("backup", tmp_path / "b.json", here)
    assert there.asked == []
