"""The independent verifier that judges the simulator's products: dcap-qvl, Phala's implementation in Rust."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import dcap_qvl

if TYPE_CHECKING:
    from assay.simulator import Simulated


def judge(simulated: Simulated) -> str:
    """The TCB status that dcap-qvl reports under the synthetic root; raises `ValueError` when it refuses."""
    collateral = simulated.collateral
    tcb_info, tcb_signature = _split(collateral.tcb_info, "tcbInfo")
    identity, identity_signature = _split(collateral.qe_identity, "enclaveIdentity")
    chain = collateral.tcb_signing_chain.decode()
    bundle = dcap_qvl.QuoteCollateralV3(
        collateral.pck_crl_issuer_chain.decode(),
        collateral.root_ca_crl,
        collateral.pck_crl,
        chain,
        tcb_info,
        tcb_signature,
        chain,
        identity,
        identity_signature,
    )
    at = int(simulated.at.timestamp())
    return str(dcap_qvl.verify_with_root_ca(simulated.quote, bundle, simulated.root, at).status)


def _split(document: bytes, name: str) -> tuple[str, bytes]:
    """The peer takes the inner object and the signature apart; a document that is not JSON is a refusal."""
    text = document.decode()
    try:
        signature = json.loads(text)["signature"]
    except RecursionError as error:
        raise ValueError("nested too deep") from error
    return text[len(f'{{"{name}":') : text.rindex(',"signature"')], bytes.fromhex(signature)
