"""VCEK and VLEK certificates: the key of one chip, or of one cloud, at one TCB (quote-verification 8.3)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from functools import lru_cache
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec

from assay import limits
from assay.endorsements.amd.product import Product, product_of_name
from assay.endorsements.amd.tcb import TcbVersion, encode_tcb_version
from assay.endorsements.documents import DocumentKind, Need
from assay.errors import MalformedEndorsement
from assay.formats.der import DerReader
from assay.pki.certificate import Certificate

_ARC: Final = "1.3.6.1.4.1.3704.1"
_IA5_STRING: Final = 0x16
_UTF8_STRING: Final = 0x0C
# An OCTET STRING around the identifier, as some certificates have; current ones carry it bare.
_WRAPPED: Final = {66: b"\x04\x40", 10: b"\x04\x08"}
_CHIP_ID_SIZES: Final = {Product.MILAN: 64, Product.GENOA: 64, Product.TURIN: 8}


class KeyKind(str, Enum):
    """Which key signed: that of the chip, or that of its owner's fleet."""

    VCEK = "SEV-VCEK"
    VLEK = "SEV-VLEK"

    def authority_name(self, product: Product) -> str:
        """The common name of the certificate's issuer: an ASK, or an ASVK."""
        return f"SEV-{product.value}" if self is KeyKind.VCEK else f"SEV-VLEK-{product.value}"


class Vek(NamedTuple):
    """What AMD certifies with a key: the product, the TCB, and the chip or the cloud.

    `chip_id` is the chip's identifier, of 8 octets on Turin and 64 before, None in a VLEK; `csp_id` names the cloud of
    a VLEK.
    """

    kind: KeyKind
    product: Product
    product_name: str
    tcb: TcbVersion
    chip_id: bytes | None
    csp_id: str | None
    key: ec.EllipticCurvePublicKey


@lru_cache(maxsize=limits.PLATFORMS)
def parse_vek(certificate: Certificate) -> Vek:
    """What a VCEK or VLEK certificate says; raises `MalformedEndorsement`."""
    kind = next((kind for kind in KeyKind if kind.value == certificate.common_name), None)
    if kind is None:
        raise MalformedEndorsement("endorsement key", f"the name {certificate.common_name!r}")
    key = certificate.public_key
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name != "secp384r1":
        raise MalformedEndorsement(kind.value, "a key that is not on P-384")
    extensions = _Extensions(kind.value, certificate.extensions.vendor)
    name = extensions.text("2")
    product = product_of_name(name)
    if product is None:
        raise MalformedEndorsement(kind.value, f"the product {name!r}")
    is_chip = kind is KeyKind.VCEK
    return Vek(
        kind,
        product,
        name,
        _read_tcb(extensions, product),
        extensions.chip_id(_CHIP_ID_SIZES[product]) if is_chip else None,
        None if is_chip else extensions.text("5"),
        key,
    )


def leaf_need(kind: KeyKind, product: Product, chip_id: bytes, tcb: bytes) -> Need:
    """The need of an endorsement key's certificate: of a chip at a TCB, or of a cloud at a TCB."""
    if kind is KeyKind.VLEK:
        return Need(DocumentKind.AMD_VLEK, tee=product.value, platform=tcb.hex())
    chip = chip_id[: _CHIP_ID_SIZES[product]]
    return Need(DocumentKind.AMD_VCEK, tee=product.value, platform=f"{chip.hex()}:{tcb.hex()}")


def need_answered_by(vek: Vek) -> Need:
    """The need that a VCEK or VLEK certificate answers."""
    return leaf_need(vek.kind, vek.product, vek.chip_id or b"", encode_tcb_version(vek.tcb))


class _Extensions(NamedTuple):
    """The extensions of AMD's arc by what follows it, and in which certificate."""

    what: str
    values: Mapping[str, bytes]

    def _value(self, last: str) -> bytes:
        value = self.values.get(f"{_ARC}.{last}")
        if value is None:
            raise MalformedEndorsement(self.what, f"no extension {_ARC}.{last}")
        return value

    def number(self, last: str) -> int:
        """A DER INTEGER of one octet's range: values from 0x80 have a leading zero octet."""
        reader = DerReader(self._value(last), self.what)
        number = reader.integer(last)
        reader.finish()
        if not 0 <= number <= 0xFF:
            raise MalformedEndorsement(self.what, f"extension {_ARC}.{last}: {number} is not from 0 to 255")
        return number

    def text(self, last: str) -> str:
        reader = DerReader(self._value(last), self.what)
        tag, content = reader.element()
        reader.finish()
        if tag not in (_IA5_STRING, _UTF8_STRING):
            raise MalformedEndorsement(self.what, f"extension {_ARC}.{last}: not a string")
        try:
            return content.decode("ascii")
        except UnicodeDecodeError as error:
            raise MalformedEndorsement(self.what, f"extension {_ARC}.{last}: not ASCII") from error

    def chip_id(self, size: int) -> bytes:
        value = self._value("4")
        wrapping = _WRAPPED[size + 2]
        if len(value) == size + 2 and value.startswith(wrapping):
            return value[2:]
        if len(value) != size:
            raise MalformedEndorsement(self.what, f"a hardware identifier of {len(value)} octets instead of {size}")
        return value


def _read_tcb(extensions: _Extensions, product: Product) -> TcbVersion:
    structure = extensions.number("1")
    if structure != (1 if product is Product.TURIN else 0):
        raise MalformedEndorsement(extensions.what, f"structure version {structure} for {product.value}")
    for reserved in ("3.4", "3.5", "3.6", "3.7"):
        if f"{_ARC}.{reserved}" in extensions.values and extensions.number(reserved):
            raise MalformedEndorsement(extensions.what, f"extension {_ARC}.{reserved} is not zero")
    fmc = extensions.number("3.9") if product is Product.TURIN else None
    boot_loader, tee, snp, microcode = (extensions.number(last) for last in ("3.1", "3.2", "3.3", "3.8"))
    return TcbVersion(boot_loader, tee, snp, microcode, fmc)
