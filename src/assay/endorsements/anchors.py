"""Trust anchors: vendor roots pinned by name and the SHA-256 of their public key.

A root certificate in a message is believed only when its key is pinned here or in the operator's trust directory
(design, section 9). The certificates themselves come with the evidence or from the vendor.
"""

from __future__ import annotations

from collections.abc import Iterable
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
)

SIMULATOR_ROOTS: Final = (
    Anchor(
        "Intel SGX Root CA",
        "937043e7ffac6101d96557624c2c2fae57b28adbf514eb610d5803cbe67edf13",
        "assay.simulator: the key is public knowledge; development mode only",
        simulated=True,
    ),
)


@dataclass(frozen=True, slots=True, eq=False)
class TrustAnchors:
    """The roots that an appraisal believes; never empty. Compared by identity, so that it can key a cache."""

    anchors: tuple[Anchor, ...] = VENDOR_ROOTS
    _by_key: dict[tuple[str, str], Anchor] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not self.anchors:
            raise ConfigurationError("no trust anchors: an empty trust store believes nobody")
        object.__setattr__(self, "_by_key", {(a.key_sha256, a.name): a for a in self.anchors})

    def find(self, root: Certificate) -> Anchor | None:
        """The anchor that pins this certificate's key under its own name, or None."""
        return self._by_key.get((root.key_sha256, root.common_name))


def is_simulator_root(root: Certificate) -> bool:
    """Whether a root is the simulator's, by key or by name."""
    keys = {anchor.key_sha256 for anchor in SIMULATOR_ROOTS}
    return root.key_sha256 in keys or root.organisation == SIMULATOR_ORGANISATION


def trust_anchors(operator_roots: Iterable[Certificate] = (), *, allow_simulator: bool = False) -> TrustAnchors:
    """The vendors' roots, the operator's, and in development mode the simulator's.

    Raises `ConfigurationError` when the operator's directory holds a simulator root outside development mode: it is
    refused by key and by name.
    """
    added = []
    for root in operator_roots:
        simulated = is_simulator_root(root)
        if simulated and not allow_simulator:
            raise ConfigurationError(
                f"the trust directory holds a root of the simulator ({root.common_name}): allowed only in "
                "development (serve --dev, verify --unsafe-simulator)"
            )
        added.append(Anchor(root.common_name, root.key_sha256, "the operator's trust directory", simulated=simulated))
    return TrustAnchors((*VENDOR_ROOTS, *added, *(SIMULATOR_ROOTS if allow_simulator else ())))
