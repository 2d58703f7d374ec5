"""Evidence as hardware lays it out, unsigned: enough for a source, which passes on and does not verify."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

REPORTED_TCB = bytes.fromhex("0300000000000873")
VCEK, ASK, ARK = (
    UUID("63da758d-e664-4564-adc5-f4b93be8accd"),
    UUID("4ab7b379-bbac-4fe4-a02f-05aef327c782"),
    UUID("c0b406a4-a803-4952-9743-3fb6014cd0ae"),
)


def placed(size: int, parts: dict[int, bytes]) -> bytes:
    content = bytearray(size)
    for offset, part in parts.items():
        content[offset : offset + len(part)] = part
    return bytes(content)


def snp_report(report_data: bytes, vmpl: int = 0) -> bytes:
    return placed(
        1184, {0: b"\x02", 0x30: vmpl.to_bytes(4, "little"), 0x50: report_data.ljust(64, b"\0"), 0x180: REPORTED_TCB}
    )


def td_quote(report_data: bytes, version: int = 4) -> bytes:
    start = {4: 48, 5: 54}.get(version, 48)
    return placed(1200, {0: version.to_bytes(2, "little"), start + 520: report_data})


def enclave_quote(report_data: bytes) -> bytes:
    return placed(600, {0: b"\x03", 48 + 320: report_data})


@cache
def certificate(common_name: str, encoding: Encoding = Encoding.DER) -> bytes:
    """A certificate that nobody verifies here."""
    key = ec.generate_private_key(ec.SECP384R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    start, end = datetime(2024, 1, 1, tzinfo=UTC), datetime(2031, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), start, end)
    return builder.sign(key, SHA384()).public_bytes(encoding)


LEAF, AUTHORITY, ROOT = certificate("SEV-VCEK"), certificate("SEV-Milan"), certificate("ARK-Milan")


def certificates_in(chain: bytes) -> list[bytes]:
    """The certificates of a PEM chain in DER, read by another reader than ours."""
    return [one.public_bytes(Encoding.DER) for one in x509.load_pem_x509_certificates(chain)]


def certificate_table(certificates: dict[UUID, bytes]) -> bytes:
    start = 24 * (len(certificates) + 1)
    head, body = b"", b""
    for identifier, certificate in certificates.items():
        offset = start + len(body)
        head += identifier.bytes + offset.to_bytes(4, "little") + len(certificate).to_bytes(4, "little")
        body += certificate
    return head + bytes(24) + body
