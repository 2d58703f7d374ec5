"""The security versions of AMD's firmware: eight octets whose layout depends on the product line."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from assay import limits
from assay.endorsements.amd.product import Product
from assay.errors import Malformed

SIZE: Final = 8


@dataclass(frozen=True, slots=True)
class TcbVersion:
    """The versions by component; `fmc` exists from Turin on, and is None before."""

    boot_loader: int
    tee: int
    snp: int
    microcode: int
    fmc: int | None = None

    def __str__(self) -> str:
        fmc = "" if self.fmc is None else f"fmc {self.fmc}, "
        return f"{fmc}boot loader {self.boot_loader}, tee {self.tee}, snp {self.snp}, microcode {self.microcode}"

    @property
    def components(self) -> tuple[int, ...]:
        return (-1 if self.fmc is None else self.fmc, self.boot_loader, self.tee, self.snp, self.microcode)

    def is_at_most(self, other: TcbVersion) -> bool:
        """Whether no component is beyond the other's."""
        return all(mine <= its for mine, its in zip(self.components, other.components, strict=True))


@lru_cache(maxsize=limits.IDENTIFIERS)
def parse_tcb_version(octets: bytes, product: Product, what: str, error: type[Malformed]) -> TcbVersion:
    """The TCB_VERSION of a product (quote-verification 8.2); raises `error` when a reserved octet is not zero.

    Remembered, since machines of one model at one patch level have them in common.
    """
    if product is Product.TURIN:
        fmc, boot_loader, tee, snp, *reserved, microcode = octets
        version = TcbVersion(boot_loader, tee, snp, microcode, fmc)
    else:
        boot_loader, tee, *reserved, snp, microcode = octets
        version = TcbVersion(boot_loader, tee, snp, microcode)
    if any(reserved):
        raise error(what, f"reserved octets of the TCB version of {product.value} are not zero")
    return version


def encode_tcb_version(version: TcbVersion) -> bytes:
    """The eight octets of a TCB version."""
    if version.fmc is None:
        return bytes((version.boot_loader, version.tee, 0, 0, 0, 0, version.snp, version.microcode))
    return bytes((version.fmc, version.boot_loader, version.tee, version.snp, 0, 0, 0, version.microcode))
