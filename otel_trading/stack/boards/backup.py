"""Every board of a Grafana in one file, and back: into the same Grafana or another one."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, cast

from otel_trading.errors import ConfigError, StackError
from otel_trading.stack.boards._grafana import RefusedError

if TYPE_CHECKING:
    from pathlib import Path

    from otel_trading.stack.boards._grafana import Grafana

__all__ = ["Restored", "backup", "restore"]

_FORMAT: Final = "otel-trading boards 1"
#: What a Grafana counts for itself.
_ITS_OWN: Final = ("id", "version")


@dataclass(slots=True)
class Restored:
    """What became of each board, by uid.

    Args:
        created: Was not there.
        changed: Was there in another form or folder.
        unchanged: Was there as in the backup.
        from_files: Comes from files of that Grafana, which win: left as it is.
        refused: Why, in Grafana's words.
    """

    created: list[str] = field(default_factory=list[str])
    changed: list[str] = field(default_factory=list[str])
    unchanged: list[str] = field(default_factory=list[str])
    from_files: list[str] = field(default_factory=list[str])
    refused: dict[str, str] = field(default_factory=dict[str, str])


def backup(grafana: Grafana, file: Path) -> list[str]:
    """Write all boards with their folders into one file, whole or not at all, and return their uids.

    Args:
        grafana: Where they are.
        file: The backup; one that is there is replaced.

    Raises:
        StackError: Grafana does not answer, or the file cannot be written.
    """
    boards: dict[str, dict[str, Any]] = {}
    folders: dict[str, dict[str, str]] = {}
    for hit in grafana.found("dash-db"):
        answer = grafana.board(hit["uid"])
        if answer is not None:  # else somebody deleted it meanwhile
            folder = answer["meta"].get("folderUid") or ""
            boards[hit["uid"]] = {"folder": folder, "dashboard": _plain(answer["dashboard"])}
            _note(grafana, folder, folders)
    text = json.dumps({"format": _FORMAT, "folders": folders, "boards": boards}, indent=2, sort_keys=True)
    _write(file, text + "\n")
    return sorted(boards)


def restore(grafana: Grafana, file: Path) -> Restored:
    """Bring back the boards of a backup under their uids and in their folders; a second time changes nothing.

    Boards that are not in the backup stay. A folder of the same name is taken for the same folder.

    Args:
        grafana: Where they go.
        file: From `backup`.

    Raises:
        ConfigError: The file is not a backup; nothing was changed.
        StackError: Grafana does not answer.
    """
    saved = _read(file)
    places = _Folders(grafana, saved["folders"])
    restored = Restored()
    for uid, board in saved["boards"].items():
        try:
            _put(grafana, uid, board["dashboard"], places.place(board["folder"]), restored)
        except RefusedError as error:  # noqa: PERF203  one board refused must not keep the others from coming back
            restored.refused[uid] = str(error)
    return restored


def _put(grafana: Grafana, uid: str, dashboard: dict[str, Any], folder: str, restored: Restored) -> None:
    there = grafana.board(uid)
    if there is not None and there["meta"].get("provisioned"):
        restored.from_files.append(uid)
        return
    if there is not None and (_plain(there["dashboard"]), there["meta"].get("folderUid") or "") == (dashboard, folder):
        restored.unchanged.append(uid)
        return
    # Never `overwrite`: it would also swallow another board that has the same title.
    its_own = {key: there["dashboard"][key] for key in _ITS_OWN} if there is not None else {"id": None}
    body = {"dashboard": {**dashboard, **its_own}, "folderUid": folder, "overwrite": False}
    grafana.ask("/api/dashboards/db", {**body, "message": "Restored by otel-trading"})
    (restored.created if there is None else restored.changed).append(uid)


class _Folders:
    """The folders of a backup, in the Grafana that takes it."""

    def __init__(self, grafana: Grafana, saved: dict[str, dict[str, str]]) -> None:
        self._grafana, self._saved = grafana, saved
        hits = list(grafana.found("dash-folder"))
        self._there = {hit["uid"] for hit in hits}
        self._titles = {(hit.get("folderUid") or "", hit["title"]): str(hit["uid"]) for hit in hits}

    def place(self, uid: str) -> str:
        """Return the uid that a folder has there; it is made, with those above it, where it is not."""
        if not uid or uid in self._there:
            return uid
        folder = self._saved[uid]
        parent = self.place(folder["parent"])
        same = self._titles.get((parent, folder["title"]))
        if same is None:
            above = {"parentUid": parent} if parent else {}
            made = self._grafana.ask("/api/folders", {"uid": uid, "title": folder["title"], **above})
            same = self._titles[parent, folder["title"]] = str(made["uid"])
            self._there.add(same)
        return same


def _plain(dashboard: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in dashboard.items() if key not in _ITS_OWN}


def _note(grafana: Grafana, uid: str, folders: dict[str, dict[str, str]]) -> None:
    """Note a folder and those above it."""
    while uid and uid not in folders:
        folder = grafana.folder(uid)
        if folder is None:
            message = f"Grafana names a folder {uid} that it does not show to this user. Use one with the role Editor."
            raise StackError(message)
        folders[uid] = {"title": folder["title"], "parent": folder.get("parentUid") or ""}
        uid = folders[uid]["parent"]


def _write(file: Path, text: str) -> None:
    new = file.with_name(f".{file.name}.new")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        new.write_text(text, encoding="utf-8")
        new.replace(file)
    except OSError as error:
        message = f"The backup {file} cannot be written: {error}. Make room, or name another file."
        raise StackError(message) from error


def _read(file: Path) -> dict[str, Any]:
    try:
        saved: Any = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        message = f"{file} cannot be read: {error}. Name a file that `otel-trading boards backup` wrote."
        raise ConfigError(message) from error
    if not isinstance(saved, dict) or cast("dict[str, Any]", saved).get("format") != _FORMAT:
        message = f"{file} is not a backup of boards ({_FORMAT}). Name one that `otel-trading boards backup` wrote."
        raise ConfigError(message)
    return cast("dict[str, Any]", saved)
