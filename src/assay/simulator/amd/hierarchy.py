"""The synthetic AMD's authorities: ARK, ASK and ASVK of a product line."""

from __future__ import annotations

from dataclasses import dataclass, replace

from assay.simulator.amd.certificates import AmdCertificate, mint

PRODUCTS = ("Milan", "Genoa", "Turin")


@dataclass(frozen=True, slots=True)
class AmdHierarchy:
    """The three certificates above the keys of a product line; replace any of them to break its rule."""

    product: str
    ark: AmdCertificate
    ask: AmdCertificate
    asvk: AmdCertificate

    def authority(self, *, vlek: bool) -> AmdCertificate:
        return self.asvk if vlek else self.ask

    def root(self) -> bytes:
        """The ARK's certificate in DER."""
        return mint(self.ark, self.ark)

    def authority_certificate(self, *, vlek: bool) -> bytes:
        """The ASK's or the ASVK's certificate in DER."""
        return mint(self.authority(vlek=vlek), self.ark)

    def with_authority(self, form: AmdCertificate, *, vlek: bool) -> AmdHierarchy:
        return replace(self, asvk=form) if vlek else replace(self, ask=form)


def amd_hierarchy(product: str) -> AmdHierarchy:
    """The genuine synthetic authorities of a product line."""
    line = 0x10000 * (1 + PRODUCTS.index(product))
    ark = AmdCertificate(
        f"ARK-{product}", f"amd ark {product}", line, ca=True, uses="sign certificates and lists", path_length=-1
    )
    ask = AmdCertificate(
        f"SEV-{product}", f"amd ask {product}", line + 1, ca=True, uses="sign certificates", path_length=0
    )
    asvk = replace(ask, common_name=f"SEV-VLEK-{product}", key=f"amd asvk {product}", serial=line + 0x101)
    return AmdHierarchy(product, ark, ask, asvk)


def forged_hierarchy(product: str) -> AmdHierarchy:
    """The same names under another key: self-consistent, and worth nothing (attack case SNP-01)."""
    genuine = amd_hierarchy(product)
    ark, ask, asvk = (replace(form, key="amd stranger") for form in (genuine.ark, genuine.ask, genuine.asvk))
    return AmdHierarchy(product, ark, ask, asvk)
