"""Synthetic processors and clouds, and the certificates of their endorsement keys (quote-verification 8.3)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from assay.simulator import der
from assay.simulator.amd.certificates import AmdCertificate
from assay.simulator.keys import filler

ARC: Final = "1.3.6.1.4.1.3704.1"
_IA5_STRING: Final = 0x16
_CPUID: Final = {"Milan": (0x19, 0x01, 0x01), "Genoa": (0x19, 0x11, 0x01), "Turin": (0x1A, 0x02, 0x01)}
_NAMES: Final = {"Milan": "Milan-B0", "Genoa": "Genoa", "Turin": "Turin"}
_ISSUED: Final = datetime(2024, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Tcb:
    """Security versions by component; `fmc` is of Turin only."""

    boot_loader: int = 4
    tee: int = 0
    snp: int = 24
    # Beyond 0x7f, as on current machines: its DER INTEGER has a leading zero octet.
    microcode: int = 219
    fmc: int = 1

    def encode(self, product: str) -> bytes:
        """The eight octets in the layout of a product line (quote-verification 8.2)."""
        if product == "Turin":
            return bytes((self.fmc, self.boot_loader, self.tee, self.snp, 0, 0, 0, self.microcode))
        return bytes((self.boot_loader, self.tee, 0, 0, 0, 0, self.snp, self.microcode))


TCB: Final = Tcb()


@dataclass(frozen=True, slots=True)
class Chip:
    """A processor; `certificate` is the form of its key's certificate, whose extensions come from the other fields."""

    product: str = "Milan"
    name: str = "first"
    tcb: Tcb = TCB
    vlek: bool = False
    csp_id: str = "CN=simulator.invalid"
    cpuid: tuple[int, int, int] | None = None

    @property
    def key(self) -> str:
        """The name of the endorsement key: derived from the TCB, too."""
        return f"amd {'vlek' if self.vlek else 'vcek'} {self.product} {self.name} {self.tcb}"

    @property
    def processor(self) -> tuple[int, int, int]:
        return self.cpuid or _CPUID[self.product]

    @property
    def hardware_id(self) -> bytes:
        """What the certificate calls it: 64 octets, 8 on Turin."""
        return filler(f"amd chip {self.product} {self.name}", 8 if self.product == "Turin" else 64)

    @property
    def chip_id(self) -> bytes:
        """What reports call it."""
        return self.hardware_id.ljust(64, b"\x00")


CHIP: Final = Chip()


def leaf_form(chip: Chip) -> AmdCertificate:
    """The certificate of a chip's VCEK, or of its cloud's VLEK."""
    versions = {"3.1": chip.tcb.boot_loader, "3.2": chip.tcb.tee, "3.3": chip.tcb.snp, "3.8": chip.tcb.microcode}
    is_turin = chip.product == "Turin"
    if is_turin:
        versions["3.9"] = chip.tcb.fmc
    name = chip.product if chip.vlek else _NAMES[chip.product]
    extensions = [("1", der.integer(int(is_turin))), ("2", der.encode(_IA5_STRING, name.encode("ascii")))]
    extensions += [(last, der.integer(version)) for last, version in versions.items()]
    extensions += [(last, der.integer(0)) for last in ("3.4", "3.5", "3.6", "3.7") if not is_turin or last != "3.4"]
    if chip.vlek:
        extensions.append(("5", der.encode(_IA5_STRING, chip.csp_id.encode("ascii"))))
    else:
        extensions.append(("4", chip.hardware_id))
    form = AmdCertificate("SEV-VLEK" if chip.vlek else "SEV-VCEK", chip.key)
    return replace(
        form,
        not_before=_ISSUED,
        not_after=_ISSUED.replace(year=2031),
        extensions=tuple((f"{ARC}.{last}", value) for last, value in extensions),
    )
