"""The peer on the same bytes: dcap-qvl (Phala, Rust) from PyPI, which remembers nothing between calls."""

from __future__ import annotations

import json
from importlib.util import find_spec
from typing import TYPE_CHECKING

from bench.subjects import AT

if TYPE_CHECKING:
    from collections.abc import Callable

    from assay.simulator import Simulated

ABSENT = "dcap-qvl is not installed: nothing to compare with"


def is_here() -> bool:
    return find_spec("dcap_qvl") is not None


def verifier(simulated: Simulated) -> Callable[[bytes], str]:
    """Judges quotes under the synthetic root with the given collateral; the answer is the TCB status."""
    from dcap_qvl import QuoteCollateralV3, verify_with_root_ca

    collateral = simulated.collateral
    chain = collateral.tcb_signing_chain.decode()
    bundle = QuoteCollateralV3(
        collateral.pck_crl_issuer_chain.decode(),
        collateral.root_ca_crl,
        collateral.pck_crl,
        chain,
        *_split(collateral.tcb_info, "tcbInfo"),
        chain,
        *_split(collateral.qe_identity, "enclaveIdentity"),
    )
    root, at = simulated.root, int(AT.timestamp())
    return lambda quote: str(verify_with_root_ca(quote, bundle, root, at).status)


def _split(document: bytes, name: str) -> tuple[str, bytes]:
    """The signed object and the signature, which the peer takes apart."""
    text = document.decode()
    signature = bytes.fromhex(json.loads(text)["signature"])
    return text[len(f'{{"{name}":') : text.rindex(',"signature"')], signature
