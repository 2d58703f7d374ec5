"""The synthetic Intel's certificate hierarchy: root, two PCK authorities, TCB signing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

from assay.simulator.intel.certificates import AUTHORITY_USES, CertificateForm, encode_pem, mint_certificate

if TYPE_CHECKING:
    from cryptography import x509

PckCa = Literal["processor", "platform"]

ROOT: Final = CertificateForm("Intel SGX Root CA", "intel root", ca=True, path_length=1, uses=AUTHORITY_USES)
PROCESSOR_CA: Final = CertificateForm(
    "Intel SGX PCK Processor CA", "intel pck processor ca", ca=True, path_length=0, uses=AUTHORITY_USES
)
PLATFORM_CA: Final = CertificateForm(
    "Intel SGX PCK Platform CA", "intel pck platform ca", ca=True, path_length=0, uses=AUTHORITY_USES
)
TCB_SIGNING: Final = CertificateForm("Intel SGX TCB Signing", "intel tcb signing")


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """The four certificates above the platforms; replace any of them to break its rule."""

    root: CertificateForm = ROOT
    processor_ca: CertificateForm = PROCESSOR_CA
    platform_ca: CertificateForm = PLATFORM_CA
    tcb_signing: CertificateForm = TCB_SIGNING

    def pck_ca(self, ca: PckCa) -> CertificateForm:
        return self.platform_ca if ca == "platform" else self.processor_ca

    def root_certificate(self) -> x509.Certificate:
        return mint_certificate(self.root, self.root)

    def pck_ca_certificate(self, ca: PckCa) -> x509.Certificate:
        return mint_certificate(self.pck_ca(ca), self.root)

    def tcb_signing_certificate(self) -> x509.Certificate:
        return mint_certificate(self.tcb_signing, self.root)

    def pck_ca_chain(self, ca: PckCa) -> bytes:
        """The PCK authority, then the root, as PEM."""
        return encode_pem(self.pck_ca_certificate(ca)) + encode_pem(self.root_certificate())

    def tcb_signing_chain(self) -> bytes:
        """TCB signing, then the root, as PEM."""
        return encode_pem(self.tcb_signing_certificate()) + encode_pem(self.root_certificate())

    def with_pck_ca(self, ca: PckCa, form: CertificateForm) -> Hierarchy:
        """The hierarchy with one PCK authority replaced."""
        return replace(self, platform_ca=form) if ca == "platform" else replace(self, processor_ca=form)


HIERARCHY: Final = Hierarchy()


def forge_hierarchy(genuine: Hierarchy = HIERARCHY, forger: str = "forger") -> Hierarchy:
    """The same names under other keys: self-consistent, and worth nothing (attack case QV-10)."""
    return Hierarchy(*(_forge(form, forger) for form in _forms(genuine)))


def _forms(hierarchy: Hierarchy) -> tuple[CertificateForm, ...]:
    return hierarchy.root, hierarchy.processor_ca, hierarchy.platform_ca, hierarchy.tcb_signing


def _forge(form: CertificateForm, forger: str) -> CertificateForm:
    return replace(form, key=f"{forger}: {form.key}")
