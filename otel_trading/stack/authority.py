"""Makes the CA of an exposed stack, and the certificate that its gate shows; needs the extra `expose`."""

from __future__ import annotations

import os
import socket
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Final, cast

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from otel_trading.errors import ConfigError
from otel_trading.stack.certificates import Pair, general, holds_for_a_while, names_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPublicKeyTypes as PublicKey

__all__ = ["authority", "server", "write"]

_AUTHORITY_LIVES: Final = timedelta(days=3650)
#: Some programs refuse a longer one.
_SERVER_LIVES: Final = timedelta(days=365)
#: Clocks of other machines may be behind.
_BEFORE: Final = timedelta(hours=1)


def authority(pair: Pair) -> bool:
    """Make a CA unless there is one that holds for a while; say whether one was made.

    Raises:
        ConfigError: The one that is there has no key of its own, or is something else.
    """
    if pair.certificate.exists():
        try:
            found, _ = pair.read()
        except ConfigError as error:
            message = f"{error} Or remove both: `up` makes a new CA then, which every bot needs."
            raise ConfigError(message) from error
        if holds_for_a_while(found):
            return False
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(f"otel-trading CA of {socket.gethostname()}"[:64])
    made = _begun(name, name, key.public_key(), key.public_key(), _now() + _AUTHORITY_LIVES)
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    made = made.add_extension(_usage(signs_others=True), critical=True)
    _write(pair, made.sign(key, hashes.SHA256()), key)
    return True


def server(pair: Pair, by: Pair, names: Sequence[str]) -> datetime:
    """Make a certificate for these names unless there is one that holds for a while; return until when it holds.

    Args:
        pair: Where it is.
        by: The CA that signs it.
        names: Addresses and host names.
    """
    ca, signer = by.read()
    if (kept := _kept(pair, ca, names)) is not None:
        return kept
    key = ec.generate_private_key(ec.SECP256R1())
    until = min(_now() + _SERVER_LIVES, ca.not_valid_after_utc)
    signers = cast("PublicKey", ca.public_key())
    made = _begun(_name("otel-trading"), ca.subject, key.public_key(), signers, until)
    made = made.add_extension(x509.SubjectAlternativeName([general(name) for name in names]), critical=False)
    made = made.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    made = made.add_extension(_usage(signs_others=False), critical=True)
    made = made.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    signed = made.sign(signer, hashes.SHA256())
    _write(pair, signed, key)
    return signed.not_valid_after_utc


def write(file: Path, content: bytes) -> None:
    """Write a file that is whole or not there, and that nobody else ever could read."""
    new = file.with_name(f"{file.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as made:
        made.write(content)
    new.replace(file)


def _kept(pair: Pair, ca: x509.Certificate, names: Sequence[str]) -> datetime | None:
    try:
        found, _ = pair.read()
        found.verify_directly_issued_by(ca)
    except (ConfigError, InvalidSignature, ValueError, TypeError):
        return None  # none, half of one, or one of another CA
    same = sorted(names_of(found)) == sorted(names)
    return found.not_valid_after_utc if same and holds_for_a_while(found) else None


def _begun(
    subject: x509.Name, issuer: x509.Name, key: PublicKey, issuers: PublicKey, until: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(_now() - _BEFORE)
        .not_valid_after(until)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuers), critical=False)
    )


def _now() -> datetime:
    return datetime.now(timezone.utc)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _usage(*, signs_others: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_others,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_others,
        crl_sign=signs_others,
        encipher_only=False,
        decipher_only=False,
    )


def _write(pair: Pair, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
    """Write the key first: a certificate without one would have to be explained."""
    encoding = serialization.Encoding.PEM
    private = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    write(pair.key, private)
    write(pair.certificate, certificate.public_bytes(encoding))
