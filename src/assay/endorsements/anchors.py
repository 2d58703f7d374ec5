"""Trust anchors: vendor roots pinned by name and the SHA-256 of their public key.

A root certificate in a message is believed only when its key is pinned here or in the operator's trust directory
(design, section 9). The certificates themselves come with the evidence or from the vendor.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from assay.errors import ConfigurationError
from assay.pki.certificate import Certificate

SIMULATOR_ORGANISATION: Final = "Assay Simulator"


@dataclass(frozen=True, slots=True)
class Anchor:
    """One pinned root: its common name, the SHA-256 of its SubjectPublicKeyInfo in DER, and where that is stated."""

    name: str
    key_sha256: str
    origin: str
    simulated: bool = False


VENDOR_ROOTS: Final = (
    Anchor(
        "Intel SGX Root CA",
        "a0af031289f5d5d4132f9186068a7fc13628633ba235777472e29b6b6c67a49e",
        "Intel's certificate service, Intel_SGX_Provisioning_Certification_RootCA.cer (two certificates, one key)",
    ),
    Anchor(
        "ARK-Milan",
        "9f056bee44377e29308cb5ffa895bdfb62d18881fa6bed8d6f075b0204089cb9",
        "AMD's key distribution service, /vcek/v1/Milan/cert_chain",
    ),
    Anchor(
        "ARK-Genoa",
        "429a69c9422aa258ee4d8db5fcda9c6470ef15f8cd5a9cebd6cbc7d90b863831",
        "AMD's key distribution service, /vcek/v1/Genoa/cert_chain",
    ),
    Anchor(
        "ARK-Turin",
        "4f125410563a2ab9a50356f9243f6fe0b6f73de98603f53f90339c70e9d7ad08",
        "AMD's key distribution service, /vcek/v1/Turin/cert_chain",
    ),
)

# Roots above the keys in TPMs: believed for nothing else, and no other root is believed for those (tpm-and-guest 3.3).
TPM_ROOTS: Final = (
    Anchor(
        "Azure Virtual TPM Root Certificate Authority 2023",
        "5cbc52672ae101263c2976736044a964c1182ce9412c39937183baddcccb8cdf",
        "Microsoft's documentation of Trusted Launch",
    ),
    Anchor(
        "Microsoft RSA Devices Root CA 2021",
        "d61ed293962f1f6ceb26ea9ec1c5a8c6cab38e73671f27c22df90e47977707ff",
        "Microsoft's documentation of Trusted Launch: virtual TPMs of early TDX machines",
    ),
    Anchor(
        "ameroot",
        "11f06a8ab046a00e764af8ad3d6e34a315609137c2327c64767ea0cd94b6671a",
        "Microsoft's public key infrastructure: virtual TPMs until 2024; the certificate ended on 2026-05-24",
    ),
)

SIMULATOR_TPM_ROOT: Final = Anchor(
    "Assay Simulator TPM Root CA",
    "1c53bf26c982d28ae0ffd1c30121464eb4f32742961ce87c06b1e26c264436b2",
    "assay.simulator: the key is public knowledge; development mode only",
    simulated=True,
)

SIMULATOR_ROOTS: Final = (
    Anchor(
        "Intel SGX Root CA",
        "937043e7ffac6101d96557624c2c2fae57b28adbf514eb610d5803cbe67edf13",
        "assay.simulator: the key is public knowledge; development mode only",
        simulated=True,
    ),
    Anchor(
        "ARK-Milan",
        "d7e15386beb5db68808dc8dc960906a06905e042bc3b6f80a893a346f7584088",
        "assay.simulator: the key is public knowledge; development mode only",
        simulated=True,
    ),
    Anchor(
        "ARK-Genoa",
        "c4762d73b0ef6841c5987b6204bec2246ac74cb890c6a4435810fd12443469a6",
        "assay.simulator: the key is public knowledge; development mode only",
        simulated=True,
    ),
    Anchor(
        "ARK-Turin",
        "f1fa179db24c35f074c2474de8f22b62d8dfc55ef86e978345f086f532e81783",
        "assay.simulator: the key is public knowledge; development mode only",
        simulated=True,
    ),
)


@dataclass(frozen=True, slots=True)
class UvmIssuer:
    """Who is believed about the launch measurements of utility machines (quote-verification 11.3).

    `issuer` is a did:x509, which pins the certificate of an authority by its digest; `feed` names its product. Releases
    below `minimum_svn` are refused. `compliance` is the status that a token then states, None for none.
    """

    issuer: str
    feed: str
    origin: str
    minimum_svn: int = 0
    compliance: str | None = None
    simulated: bool = False


UVM_ISSUERS: Final = (
    UvmIssuer(
        "did:x509:0:sha256:I__iuL25oXEVFdTP_aBLx_eT1RPHbCQ_ECBQfYZpt9s::eku:1.3.6.1.4.1.311.76.59.1.2",
        "ContainerPlat-AMD-UVM",
        "Azure Container Instances: reference info of every machine since 2023",
        compliance="azure-compliant-uvm",
    ),
)

SIMULATOR_UVM_ISSUER: Final = UvmIssuer(
    "did:x509:0:sha256:pmVAF54D-xE_LqtOFapLPhM3tWBgFlu7Wg38sC8PlPk::eku:1.3.6.1.4.1.311.76.59.1.2",
    "ContainerPlat-AMD-UVM",
    "assay.simulator: the key is public knowledge; development mode only",
    compliance="azure-compliant-uvm",
    simulated=True,
)


@dataclass(frozen=True, slots=True, eq=False)
class TrustAnchors:
    """The roots that an appraisal believes; never empty. Compared by identity, so that it can key a cache.

    `tpm_anchors` are the roots above keys in TPMs, the operator's among them. `certificates` are the operator's, as
    candidates for such paths; those of attestation keys are themselves believed (design, section 8). `secure_boot_keys`
    are digests of keys that the operator's machines hold, by the name of the variable.
    """

    anchors: tuple[Anchor, ...] = VENDOR_ROOTS
    tpm_anchors: tuple[Anchor, ...] = TPM_ROOTS
    certificates: tuple[Certificate, ...] = ()
    pinned_leaves: tuple[Certificate, ...] = ()
    uvm_issuers: tuple[UvmIssuer, ...] = UVM_ISSUERS
    secure_boot_keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    _by_key: dict[tuple[str, str], Anchor] = field(init=False, repr=False)
    _tpm_by_key: dict[tuple[str, str], Anchor] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not self.anchors:
            raise ConfigurationError("no trust anchors: an empty trust store believes nobody")
        object.__setattr__(self, "_by_key", {(a.key_sha256, a.name): a for a in self.anchors})
        object.__setattr__(self, "_tpm_by_key", {(a.key_sha256, a.name): a for a in self.tpm_anchors})

    def find(self, root: Certificate) -> Anchor | None:
        """The anchor that pins this certificate's key under its own name, or None."""
        return self._by_key.get((root.key_sha256, root.common_name))

    def find_tpm_root(self, root: Certificate) -> Anchor | None:
        """The anchor of a root above keys in TPMs, or None."""
        return self._tpm_by_key.get((root.key_sha256, root.common_name))

    def find_pinned_leaf(self, leaf: Certificate) -> Anchor | None:
        """An anchor for an attestation key's certificate that the operator pinned, octet by octet, or None."""
        if not any(leaf.der == pinned.der for pinned in self.pinned_leaves):
            return None
        origin = "a certificate pinned in the operator's trust directory"
        return Anchor(leaf.common_name, leaf.key_sha256, origin, simulated=is_simulator_root(leaf))


def is_simulator_root(root: Certificate) -> bool:
    """Whether a root is the simulator's, by key or by name."""
    keys = {anchor.key_sha256 for anchor in (*SIMULATOR_ROOTS, SIMULATOR_TPM_ROOT)}
    return root.key_sha256 in keys or root.organisation == SIMULATOR_ORGANISATION


def trust_anchors(
    operator_roots: Iterable[Certificate] = (),
    *,
    certificates: Iterable[Certificate] = (),
    pinned_leaves: Iterable[Certificate] = (),
    allow_simulator: bool = False,
) -> TrustAnchors:
    """The vendors' roots, the operator's, and in development mode the simulator's.

    Raises `ConfigurationError` when the operator's directory holds a simulator root outside development mode: it is
    refused by key and by name.
    """
    roots, leaves = tuple(operator_roots), tuple(pinned_leaves)
    added = [_operators_anchor(root, allow_simulator=allow_simulator) for root in roots]
    for leaf in leaves:
        _require_genuine(leaf, allow_simulator=allow_simulator)
    simulated = (SIMULATOR_TPM_ROOT,) if allow_simulator else ()
    return TrustAnchors(
        (*VENDOR_ROOTS, *added, *(SIMULATOR_ROOTS if allow_simulator else ())),
        (*TPM_ROOTS, *added, *simulated),
        (*roots, *certificates),
        leaves,
        (*UVM_ISSUERS, *((SIMULATOR_UVM_ISSUER,) if allow_simulator else ())),
    )


def _operators_anchor(root: Certificate, *, allow_simulator: bool) -> Anchor:
    simulated = _require_genuine(root, allow_simulator=allow_simulator)
    return Anchor(root.common_name, root.key_sha256, "the operator's trust directory", simulated=simulated)


def _require_genuine(certificate: Certificate, *, allow_simulator: bool) -> bool:
    """Whether a certificate of the operator is the simulator's, where that is allowed."""
    simulated = is_simulator_root(certificate)
    if simulated and not allow_simulator:
        raise ConfigurationError(
            f"the trust directory holds a root of the simulator ({certificate.common_name}): allowed only in "
            "development (serve --dev, verify --unsafe-simulator)"
        )
    return simulated
