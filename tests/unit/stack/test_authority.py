"""The CA stays, certificates change: what is kept, what is made anew, and what is left of a write that broke off."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509

from otel_trading.errors import ConfigError
from otel_trading.stack import authority
from otel_trading.stack.certificates import Pair, names_of

if TYPE_CHECKING:
    from pathlib import Path

_NAMES = ("127.0.0.2", "bots.example")


@pytest.fixture
def ca(tmp_path: Path) -> Pair:
    made = Pair(tmp_path / "ca.pem", tmp_path / "ca.key")
    assert authority.authority(made)
    return made


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return Pair(tmp_path / "server.pem", tmp_path / "server.key")


def _read(pair: Pair) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pair.certificate.read_bytes())


def test_both_are_made_once(ca: Pair, pair: Pair) -> None:
    until = authority.server(pair, ca, _NAMES)
    before = [file.read_bytes() for file in (ca.certificate, ca.key, pair.certificate, pair.key)]
    assert authority.authority(ca) is False
    assert authority.server(pair, ca, _NAMES) == until
    assert [file.read_bytes() for file in (ca.certificate, ca.key, pair.certificate, pair.key)] == before
    assert {file.stat().st_mode & 0o777 for file in ca.certificate.parent.iterdir()} == {0o600}
    _read(pair).verify_directly_issued_by(_read(ca))


def test_other_names_need_another_certificate(ca: Pair, pair: Pair) -> None:
    authority.server(pair, ca, _NAMES)
    authority.server(pair, ca, ("127.0.0.3",))
    assert names_of(_read(pair)) == ["127.0.0.3"]


@pytest.mark.parametrize("spoilt", ["certificate", "key", "others"])
def test_a_spoilt_certificate_of_the_gate_is_made_anew(ca: Pair, pair: Pair, spoilt: str) -> None:
    authority.server(pair, ca, _NAMES)
    if spoilt == "others":
        other = Pair(ca.certificate.with_name("x.pem"), ca.certificate.with_name("x.key"))
        authority.authority(other)
        authority.server(Pair(pair.certificate, pair.key), other, _NAMES)
    else:
        getattr(pair, spoilt).write_text("half")
    authority.server(pair, ca, _NAMES)
    pair.read()
    _read(pair).verify_directly_issued_by(_read(ca))


def test_a_ca_without_its_key_is_not_replaced_in_silence(ca: Pair) -> None:
    ca.key.unlink()
    with pytest.raises(ConfigError, match=r"remove both: `up` makes a new CA then, which every bot needs"):
        authority.authority(ca)
    ca.certificate.unlink()
    assert authority.authority(ca)


def test_a_key_whose_certificate_was_never_written_is_no_ca(ca: Pair) -> None:
    ca.certificate.unlink()
    assert authority.authority(ca)
    ca.read()


def test_a_certificate_ends_no_later_than_its_ca_which_ends_too(
    tmp_path: Path, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = Pair(tmp_path / "old.pem", tmp_path / "old.key")
    with monkeypatch.context() as patched:
        patched.setattr(authority, "_AUTHORITY_LIVES", timedelta(days=40))
        authority.authority(old)
    assert authority.authority(old) is False
    assert authority.server(pair, old, _NAMES) == _read(old).not_valid_after_utc
    with monkeypatch.context() as patched:
        patched.setattr(authority, "_AUTHORITY_LIVES", timedelta(days=20))
        old.certificate.unlink()
        authority.authority(old)
    before = old.certificate.read_bytes()
    assert authority.authority(old) is True  # it ends soon
    assert old.certificate.read_bytes() != before
