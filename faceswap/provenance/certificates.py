"""The certificate that outputs are signed with: this machine's own, or the user's.

The machine's own is made on first use: an authority, whose key is thrown away at once, and one certificate
under it. It proves that a file is as this machine wrote it; whose machine that is it does not say.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from faceswap.errors import SigningError, writing

CONFIG_VARIABLE = "FACESWAP_CONFIG"  # a folder to use instead of the user's own
_FILE, _AUTHORITY = "signing.pem", "authority.pem"
_YEARS = 10
_CURVES = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}


@dataclass(frozen=True)
class Credentials:
    """What to sign with.

    Attributes:
        algorithm: C2PA's name of it, such as `es256`.
        chain: The certificate and those above it, PEM.
        key: The private key, PEM (PKCS #8).
    """

    algorithm: str
    chain: bytes
    key: bytes


def config_folder() -> Path:
    """Where this user's settings of this program lie."""
    if given := os.environ.get(CONFIG_VARIABLE):
        return Path(given)
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA") or Path.home() / "AppData" / "Roaming") / "faceswap"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "faceswap"
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "faceswap"


def own_authority() -> str | None:
    """This machine's own certificate authority, PEM; None where nothing was signed here yet."""
    file = config_folder() / _AUTHORITY
    try:
        return file.read_text(encoding="ascii") if file.is_file() else None
    except (OSError, UnicodeDecodeError):
        return None


def credentials(certificate: Path | None = None, key: Path | None = None) -> Credentials:
    """The user's credentials, or this machine's own, made if need be or if they have run out.

    Args:
        certificate: PEM file of the chain, the signer's own first.
        key: PEM file of the private key; None if it is in `certificate` too.

    Raises:
        SigningError: They cannot be read, do not belong together or have run out.
        OutputError: The machine's own cannot be kept.
    """
    if certificate is not None:
        return _read(certificate, key or certificate)
    file = config_folder() / _FILE
    if not file.is_file() or _ends(file) < datetime.now(UTC) + timedelta(days=1):
        _make(file)
    return _read(file, file)


def _read(certificate: Path, key: Path) -> Credentials:
    """Read a chain and its key, and see whether they can sign today."""
    try:
        chain = x509.load_pem_x509_certificates(certificate.read_bytes())
        private = load_pem_private_key(key.read_bytes(), None)
    except OSError as error:
        raise SigningError(f"cannot sign: {error.filename} cannot be read: {error.strerror}") from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        text = "give PEM files: the certificate chain and an unencrypted private key"
        raise SigningError(f"cannot sign with {certificate} and {key}: {error}; {text}") from error
    if private.public_key() != chain[0].public_key():
        raise SigningError(f"cannot sign: the key in {key} is not that of the certificate in {certificate}")
    if not chain[0].not_valid_before_utc <= datetime.now(UTC) <= chain[0].not_valid_after_utc:
        raise SigningError(f"cannot sign: the certificate in {certificate} is not valid today; renew it")
    pem = b"".join(one.public_bytes(Encoding.PEM) for one in chain)
    secret = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return Credentials(_algorithm(private, key), pem, secret)


def _algorithm(key: PrivateKeyTypes, path: Path) -> str:
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name in _CURVES:
        return _CURVES[key.curve.name]
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size >= 2048:
        return "ps256"
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return "ed25519"
    kinds = "EC on P-256, P-384 or P-521, RSA from 2048 bits on, or Ed25519"
    raise SigningError(f"cannot sign with the key in {path}: use one of {kinds}")


def _ends(file: Path) -> datetime:
    """When the certificate in a file runs out; long ago where there is none."""
    try:
        return x509.load_pem_x509_certificates(file.read_bytes())[0].not_valid_after_utc
    except (OSError, ValueError):
        return datetime.min.replace(tzinfo=UTC)


def _make(file: Path) -> None:
    """Make an authority and a certificate under it; earlier authorities stay known, for what they signed."""
    top, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority = _certificate("faceswap local authority", "faceswap local authority", top, top, None)
    leaf = _certificate("faceswap local certificate", "faceswap local authority", key, top, authority)
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    known = (own_authority() or "").encode() + authority.public_bytes(Encoding.PEM)
    with writing(file):
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(file.with_name(_AUTHORITY), [known])
        _write(file, [leaf.public_bytes(Encoding.PEM), authority.public_bytes(Encoding.PEM), secret])


def _write(file: Path, parts: Sequence[bytes]) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        out.write(b"".join(parts))
        out.flush()
        os.fsync(out.fileno())
    os.replace(temporary, file)


def _certificate(
    subject: str,
    issuer: str,
    key: ec.EllipticCurvePrivateKey,
    signing: ec.EllipticCurvePrivateKey,
    authority: x509.Certificate | None,
) -> x509.Certificate:
    """A certificate after C2PA's profile (specification 2.1, 14.5); an authority where none is given."""
    start = datetime.now(UTC) - timedelta(hours=1)
    above = x509.SubjectKeyIdentifier.from_public_key(signing.public_key())
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=365 * _YEARS))
        .add_extension(x509.BasicConstraints(authority is None, 0 if authority is None else None), True)
        .add_extension(_usage(authority is None), True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(above), False)
    )
    if authority is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), False)
    return builder.sign(signing, SHA256())


def _name(text: str) -> x509.Name:
    parts = ((NameOID.ORGANIZATION_NAME, "faceswap"), (NameOID.COMMON_NAME, text))
    return x509.Name([x509.NameAttribute(kind, value) for kind, value in parts])


def _usage(authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )
