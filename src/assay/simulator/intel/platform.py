"""One platform of the synthetic Intel: its PCK certificate with the SGX extension (quote-verification 2)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from assay.simulator import der
from assay.simulator.intel.certificates import SGX_EXTENSION, CertificateForm, encode_pem, mint_certificate
from assay.simulator.keys import filler

if TYPE_CHECKING:
    from cryptography import x509

    from assay.simulator.intel.hierarchy import Hierarchy, PckCa

_ARC: Final = SGX_EXTENSION.dotted_string

# A genuine client platform's decomposition; the values mean nothing here.
COMPONENTS: Final = (11, 11, 2, 2, 255, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0)
PCE_SVN: Final = 13
FMSPC: Final = "5ca1ab1e0001"

PCK_CERTIFICATE: Final = CertificateForm("Intel SGX PCK Certificate", "")


@dataclass(frozen=True, slots=True)
class Platform:
    """What a PCK certificate says about a platform; the name decides its key, serial number and identifiers.

    `fmspc` and `pce_id` are hex. None means: `cpu_svn` the components as bytes; `ppid` from the name; `sgx_type` 0, or
    1 under the platform CA; `instance_id` and `configuration` (dynamic platform, cached keys, SMT) only under the
    platform CA. `extension` replaces the whole SGX extension. `certificate` is the template whose open fields (key,
    serial number, CRL address, SGX extension) are filled in.
    """

    name: str = "platform"
    ca: PckCa = "processor"
    fmspc: str = FMSPC
    pce_id: str = "0000"
    components: tuple[int, ...] = COMPONENTS
    pce_svn: int = PCE_SVN
    cpu_svn: bytes | None = None
    ppid: bytes | None = None
    sgx_type: int | None = None
    instance_id: bytes | None = None
    configuration: tuple[bool, bool, bool] | None = None
    extension: bytes | None = None
    certificate: CertificateForm = PCK_CERTIFICATE

    @property
    def key(self) -> str:
        """The name of the PCK."""
        return self.certificate.key or f"pck {self.name}"

    @property
    def raw_cpu_svn(self) -> bytes:
        return bytes(self.components) if self.cpu_svn is None else self.cpu_svn

    @property
    def raw_instance_id(self) -> bytes:
        """Only under the platform CA, unless it was given."""
        return self.instance_id or filler(f"platform instance {self.name}", 16)

    @property
    def raw_ppid(self) -> bytes:
        return filler(f"ppid {self.name}", 16) if self.ppid is None else self.ppid


def encode_sgx_extension(platform: Platform) -> bytes:
    """The value of the SGX extension, members in Intel's order, as DER."""
    kind = platform.sgx_type if platform.sgx_type is not None else int(platform.ca == "platform")
    members = [
        _member("1", der.octet_string(platform.raw_ppid)),
        _member("2", _encode_tcb(platform)),
        _member("3", der.octet_string(bytes.fromhex(platform.pce_id))),
        _member("4", der.octet_string(bytes.fromhex(platform.fmspc))),
        _member("5", der.enumerated(kind)),
    ]
    if platform.ca == "platform" or platform.instance_id is not None:
        instance = platform.raw_instance_id
        members.append(_member("6", der.octet_string(instance)))
    if platform.ca == "platform" or platform.configuration is not None:
        members.append(_member("7", _encode_configuration(platform.configuration or (True, True, True))))
    return der.sequence(*members)


def _encode_tcb(platform: Platform) -> bytes:
    svns = [_member(f"2.{i}", der.integer(svn)) for i, svn in enumerate(platform.components, start=1)]
    svns.append(_member("2.17", der.integer(platform.pce_svn)))
    svns.append(_member("2.18", der.octet_string(platform.raw_cpu_svn)))
    return der.sequence(*svns)


def _encode_configuration(configuration: tuple[bool, bool, bool]) -> bytes:
    return der.sequence(*(_member(f"7.{i}", der.boolean(flag)) for i, flag in enumerate(configuration, start=1)))


def _member(suffix: str, value: bytes) -> bytes:
    return der.sequence(der.oid(f"{_ARC}.{suffix}"), value)


PLATFORM: Final = Platform()


@lru_cache(maxsize=4096)
def pck_form(platform: Platform) -> CertificateForm:
    """The PCK certificate to be made: the platform's template with what it leaves open filled in."""
    template = platform.certificate
    serial = int.from_bytes(filler(f"serial {platform.key}", 20), "big") >> 1 if template.serial is None else None
    return replace(
        template,
        key=platform.key,
        serial=template.serial if serial is None else serial,
        crl_url=f"https://simulator.invalid/sgx/certification/v4/pckcrl?ca={platform.ca}&encoding=der",
        sgx_extension=encode_sgx_extension(platform) if platform.extension is None else platform.extension,
    )


def mint_pck_certificate(platform: Platform, hierarchy: Hierarchy) -> x509.Certificate:
    """The platform's PCK certificate, issued by the PCK authority that the platform names."""
    return mint_certificate(pck_form(platform), hierarchy.pck_ca(platform.ca))


def mint_pck_chain(platform: Platform, hierarchy: Hierarchy) -> bytes:
    """The PEM chain of certification data type 5: PCK certificate, PCK authority, root."""
    return encode_pem(mint_pck_certificate(platform, hierarchy)) + hierarchy.pck_ca_chain(platform.ca)
