"""Reads and judges the certificates of an exposed stack; needs the extra `expose`."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Final, TypeAlias, cast

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtendedKeyUsageOID

from otel_trading.errors import ConfigError
from otel_trading.stack import secret_files

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.types import (
        CertificateIssuerPrivateKeyTypes as PrivateKey,
    )
    from cryptography.hazmat.primitives.asymmetric.types import (
        CertificatePublicKeyTypes as PublicKey,
    )

    Address: TypeAlias = "ipaddress.IPv4Address | ipaddress.IPv6Address"

__all__ = ["SOON", "Pair", "general", "holds_for_a_while", "judge", "names_of"]

#: What ends within this time is renewed.
SOON: Final = timedelta(days=30)


@dataclass(frozen=True)
class Pair:
    """A certificate and its key.

    Attributes:
        certificate: PEM file: first the one itself, then those between it and its CA.
        key: PEM file with its private key, without a password.
    """

    certificate: Path
    key: Path

    def read(self) -> tuple[x509.Certificate, PrivateKey]:
        """Return what is in the files.

        Raises:
            ConfigError: One cannot be read or is something else, others may read the key, or they are no pair.
        """
        found = _certificate(self.certificate)
        text = secret_files.given(self.key, f"The key {self.key}", "a private key as PEM, without a password")
        try:
            key = cast("PrivateKey", serialization.load_pem_private_key(text.encode(), password=None))
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            message = f"The key {self.key} is no private key, or has a password. Allowed: PEM without a password."
            raise ConfigError(message) from error
        if _bytes(found.public_key()) != _bytes(key.public_key()):
            message = f"The key {self.key} does not belong to {self.certificate}. Name the two that were made together."
            raise ConfigError(message)
        return found, key


def judge(pair: Pair, names: Sequence[str]) -> datetime:
    """Return until when a user's own certificate holds.

    Args:
        pair: Its files.
        names: Addresses and host names that it has to be for.

    Raises:
        ConfigError: It cannot be used; says why.
    """
    found, _ = pair.read()
    now, since, until = datetime.now(timezone.utc), found.not_valid_before_utc, found.not_valid_after_utc
    if not since <= now < until:
        message = (
            f"The certificate {pair.certificate} holds from {since:%Y-%m-%d %H:%M} to {until:%Y-%m-%d %H:%M} UTC; now "
            f"is {now:%Y-%m-%d %H:%M}. Name one that holds."
        )
        raise ConfigError(message)
    if not _is_for_servers(found):
        message = f"The certificate {pair.certificate} is not for servers. Name one with the usage serverAuth."
        raise ConfigError(message)
    covered = names_of(found)
    others = [name for name in names if not _is_covered(name, covered)]
    if others:
        message = (
            f"The certificate {pair.certificate} is for {', '.join(covered) or 'nobody'}, not for {', '.join(others)}. "
            "Name another one, or say what bots call this machine: --expose-as NAME"
        )
        raise ConfigError(message)
    return until


def holds_for_a_while(certificate: x509.Certificate) -> bool:
    """Say whether it has begun to hold and does not end soon."""
    now = datetime.now(timezone.utc)
    return certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc - SOON


def general(name: str) -> x509.GeneralName:
    """Return an address or a host name as certificates write it."""
    address = _address(name)
    return x509.DNSName(name) if address is None else x509.IPAddress(address)


def names_of(certificate: x509.Certificate) -> list[str]:
    """Return the addresses and host names that it is for."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return []
    return [*found.get_values_for_type(x509.DNSName), *map(str, found.get_values_for_type(x509.IPAddress))]


def _certificate(file: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificates(file.read_bytes())[0]
    except OSError as error:
        message = f"The certificate {file} cannot be read: {error.strerror}. Name a PEM file."
        raise ConfigError(message) from error
    except ValueError as error:
        message = f"The certificate {file} is none. Allowed: PEM (-----BEGIN CERTIFICATE-----)."
        raise ConfigError(message) from error


def _bytes(key: PublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _is_for_servers(certificate: x509.Certificate) -> bool:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except (x509.ExtensionNotFound, ValueError):
        return True
    return ExtendedKeyUsageOID.SERVER_AUTH in usage


def _is_covered(name: str, by: Sequence[str]) -> bool:
    address = _address(name)
    if address is not None:
        return any(_address(one) == address for one in by)
    name, by = name.lower(), [one.lower() for one in by]
    return name in by or f"*.{name.partition('.')[2]}" in by


def _address(text: str) -> Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
