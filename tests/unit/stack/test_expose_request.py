"""What `otel-trading up --expose` refuses before it makes or starts anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import serialization

from expose_support import ELSEWHERE, certificate
from otel_trading.errors import ConfigError, StackError
from otel_trading.stack import expose_request
from otel_trading.stack.expose_request import Expose, decide
from otel_trading.stack.state import Exposed

if TYPE_CHECKING:
    from pathlib import Path


def _own(folder: Path, *names: str, **more: float) -> Expose:
    made = certificate(folder, *names, **more)
    return Expose(ELSEWHERE, (), made.file, made.key)


def test_nothing_is_exposed_unless_asked_for() -> None:
    before = Exposed(ELSEWHERE)
    assert decide(None, None) is None
    assert decide(None, before) == before


def test_names_are_written_as_certificates_write_them_and_once() -> None:
    decided = decide(Expose(ELSEWHERE, ("Bots.Example.", "bots.example", "fd00::0001")), None)
    assert decided == Exposed(ELSEWHERE, ("bots.example", "fd00::1"))


def test_what_is_not_said_again_stays(tmp_path: Path) -> None:
    own = _own(tmp_path, ELSEWHERE, "bots.example")
    first = decide(Expose(ELSEWHERE, ("bots.example",), own.certificate, own.key), None)
    assert first is not None
    assert first.certificate == str(own.certificate)
    assert decide(Expose(), first) == first


@pytest.mark.parametrize("text", ["", "bots", "127.0.0.1", "::", "1.2.3", "fe80::1%lo", "0x7f000002"])
def test_an_address_is_one_that_others_can_use(text: str) -> None:
    with pytest.raises(ConfigError, match="--expose is "):
        expose_request._address(text)


@pytest.mark.parametrize(
    "text", ["", "a b", "-a", "a_b", "*.example", "ü.example", "https://a", "a:1", "x" * 64, "a\n"]
)
def test_a_name_is_a_host_name(text: str) -> None:
    with pytest.raises(ConfigError, match="Allowed: a host name or an IP address"):
        decide(Expose(ELSEWHERE, (text,)), None)


def test_without_the_extra_it_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expose_request, "find_spec", lambda _name: None)
    with pytest.raises(StackError, match=r"pip install 'otel-trading\[expose\]'"):
        decide(Expose(ELSEWHERE), None)


def test_a_good_certificate_of_ones_own_is_taken(tmp_path: Path) -> None:
    assert decide(_own(tmp_path, ELSEWHERE), None) is not None
    wildcard = certificate(tmp_path, "*.example")
    assert decide(Expose(ELSEWHERE, ("bots.example",), wildcard.file, wildcard.key), None) is not None


def test_an_ended_or_a_foreign_certificate_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"own\.pem holds from .* Name one that holds"):
        decide(_own(tmp_path, ELSEWHERE, ends_in_days=-1), None)
    with pytest.raises(ConfigError, match=r"is for 127\.0\.0\.9, not for 127\.0\.0\.2\. .*--expose-as"):
        decide(_own(tmp_path, "127.0.0.9"), None)
    two_levels = certificate(tmp_path, "*.example")
    with pytest.raises(ConfigError, match=r"not for a\.bots\.example"):
        decide(Expose(ELSEWHERE, ("a.bots.example",), two_levels.file, two_levels.key), None)


def test_a_key_of_others_or_that_others_read_is_refused(tmp_path: Path) -> None:
    own = _own(tmp_path, ELSEWHERE)
    assert own.key is not None
    tmp_path.chmod(0o755)
    own.key.chmod(0o640)
    with pytest.raises(ConfigError, match=r"can be read by other users .*chmod 600"):
        decide(own, None)
    own.key.chmod(0o600)
    other = certificate(tmp_path / "other", ELSEWHERE)
    with pytest.raises(ConfigError, match="does not belong to"):
        decide(Expose(ELSEWHERE, (), own.certificate, other.key), None)
    key = serialization.load_pem_private_key(own.key.read_bytes(), None)
    locked = serialization.BestAvailableEncryption(b"password")
    pkcs8, pem = serialization.PrivateFormat.PKCS8, serialization.Encoding.PEM
    own.key.write_bytes(key.private_bytes(pem, pkcs8, locked))
    with pytest.raises(ConfigError, match="has a password"):
        decide(own, None)


@pytest.mark.parametrize(
    "content", [None, b"", b"\xff\xfe", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"]
)
@pytest.mark.parametrize("which", ["certificate", "key"])
def test_files_that_are_something_else_are_refused(tmp_path: Path, which: str, content: bytes | None) -> None:
    own = _own(tmp_path, ELSEWHERE)
    file = getattr(own, which)
    if content is None:
        file.unlink()
    else:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match=str(file)):
        decide(own, None)
