"""TLS in process: certificates from files, reloaded when they change; a private CA for development."""

from __future__ import annotations

import ipaddress
import os
import ssl
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from assay.errors import ConfigurationError

_LIFETIME: Final = timedelta(days=365)


class TlsCertificate:
    """A server certificate in files; new handshakes use new files without a restart."""

    def __init__(self, certificate: Path, key: Path) -> None:
        self._certificate, self._key = certificate, key
        self.context: Final = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._stamp = self._read_stamp()
        self._load()

    def reload_if_changed(self) -> bool:
        """Load the files again when either changed; raises `ConfigurationError` and keeps the old ones when bad."""
        stamp = self._read_stamp()
        if stamp == self._stamp:
            return False
        self._stamp = stamp
        # A pair that does not fit would leave the context without a usable key: try it on another one first.
        _load_pair(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), self._certificate, self._key)
        self._load()
        return True

    def _load(self) -> None:
        _load_pair(self.context, self._certificate, self._key)

    def _read_stamp(self) -> tuple[int, ...]:
        try:
            stats = [path.stat() for path in (self._certificate, self._key)]
        except OSError as error:
            raise ConfigurationError(f"TLS: {error}") from error
        return tuple(number for stat in stats for number in (stat.st_mtime_ns, stat.st_size, stat.st_ino))


def _load_pair(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(f"TLS: {certificate} with {key}: {error}") from error


def ensure_development_certificate(directory: Path, host_names: tuple[str, ...], at: datetime) -> tuple[Path, Path]:
    """The development server's certificate and key under `directory`, made with its CA where missing or expired.

    `ca.pem` there is what clients are told to trust.
    """
    certificate, key = directory / "server.pem", directory / "server.key"
    if _is_current(certificate, host_names, at) and key.exists():
        return certificate, key
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    ca_key = ec.generate_private_key(ec.SECP256R1())
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Assay development CA")])
    ca = _builder(ca_name, ca_name, ca_key.public_key(), at).add_extension(
        x509.BasicConstraints(ca=True, path_length=0), critical=True
    )
    ca = ca.add_extension(_key_usage(sign_certificates=True), critical=True)
    server_key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Assay development server")])
    server = _builder(name, ca_name, server_key.public_key(), at)
    server = server.add_extension(x509.SubjectAlternativeName([_general_name(h) for h in host_names]), critical=False)
    server = server.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    server = server.add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False
    )
    ca_certificate, server_certificate = ca.sign(ca_key, SHA256()), server.sign(ca_key, SHA256())
    write_private(key, server_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    write_private(directory / "ca.pem", ca_certificate.public_bytes(Encoding.PEM))
    write_private(certificate, server_certificate.public_bytes(Encoding.PEM))
    return certificate, key


def _is_current(certificate: Path, host_names: tuple[str, ...], at: datetime) -> bool:
    if not certificate.exists() or not (certificate.parent / "ca.pem").exists():
        return False
    found = x509.load_pem_x509_certificate(certificate.read_bytes())
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return at < found.not_valid_after_utc - timedelta(days=1) and set(names) >= {_general_name(h) for h in host_names}


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, at: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - timedelta(hours=1))
        .not_valid_after(at + _LIFETIME)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _key_usage(*, sign_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not sign_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=sign_certificates,
        crl_sign=sign_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def write_private(path: Path, content: bytes) -> None:
    """Write atomically, readable by the owner only."""
    temporary = path.with_suffix(path.suffix + ".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    temporary.replace(path)
