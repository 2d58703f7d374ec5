"""The endorsements that go with a synthetic quote, under the file names of endorsements directories (design, 7)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from assay.simulator.intel.qe_identity import QE_IDENTITY, TD_QE_IDENTITY, EnclaveIdentity, mint_qe_identity
from assay.simulator.intel.revocation import (
    REVOCATION_LIST,
    RevocationList,
    mint_pck_crl,
    mint_root_crl,
)
from assay.simulator.intel.tcb_info import TCB_INFO, TDX_TCB_INFO, TcbInfo, mint_tcb_info

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from assay.simulator.intel.hierarchy import Hierarchy
    from assay.simulator.intel.quote import Machine


@dataclass(frozen=True, slots=True)
class Collateral:
    """The documents that a verification of SGX or TDX evidence needs, as bytes."""

    tcb_info: bytes
    tcb_signing_chain: bytes
    qe_identity: bytes
    pck_crl: bytes
    root_ca_crl: bytes
    pck_crl_issuer_chain: bytes

    def files(self) -> tuple[tuple[str, bytes], ...]:
        """File names and contents of an endorsements directory."""
        return (
            ("tcb_info.json", self.tcb_info),
            ("tcb_signing_chain.pem", self.tcb_signing_chain),
            ("qe_identity.json", self.qe_identity),
            ("pck_crl.der", self.pck_crl),
            ("root_ca_crl.der", self.root_ca_crl),
            ("pck_crl_issuer_chain.pem", self.pck_crl_issuer_chain),
        )

    def write(self, directory: Path) -> None:
        """Writes the files into the directory, which is made when it is missing."""
        directory.mkdir(parents=True, exist_ok=True)
        for name, content in self.files():
            (directory / name).write_bytes(content)


@dataclass(frozen=True, slots=True)
class Documents:
    """What the vendor publishes; None means "rightly".

    `hierarchy` signs the JSON documents and the revocation lists in the place of the machine's; `tcb_hierarchy` only
    the JSON documents. The chains replace what accompanies the documents.
    """

    tcb_info: TcbInfo = TCB_INFO
    qe_identity: EnclaveIdentity = QE_IDENTITY
    pck_crl: RevocationList = REVOCATION_LIST
    root_ca_crl: RevocationList = REVOCATION_LIST
    hierarchy: Hierarchy | None = None
    tcb_hierarchy: Hierarchy | None = None
    tcb_signing_chain: bytes | None = None
    pck_crl_issuer_chain: bytes | None = None


DOCUMENTS: Final = Documents()
TDX_DOCUMENTS: Final = Documents(TDX_TCB_INFO, TD_QE_IDENTITY)


@lru_cache(maxsize=1024)
def mint_collateral(documents: Documents, at: datetime, machine: Machine) -> Collateral:
    """The endorsements for quotes of the machine, issued for the instant `at`."""
    hierarchy = documents.hierarchy or machine.hierarchy
    tcb = documents.tcb_hierarchy or hierarchy
    platform = machine.platform
    chain = tcb.tcb_signing_chain() if documents.tcb_signing_chain is None else documents.tcb_signing_chain
    crl_chain = documents.pck_crl_issuer_chain
    return Collateral(
        tcb_info=mint_tcb_info(documents.tcb_info, at, platform, tcb),
        tcb_signing_chain=chain,
        qe_identity=mint_qe_identity(documents.qe_identity, at, tcb),
        pck_crl=mint_pck_crl(documents.pck_crl, at, platform.ca, hierarchy),
        root_ca_crl=mint_root_crl(documents.root_ca_crl, at, hierarchy),
        pck_crl_issuer_chain=hierarchy.pck_ca_chain(platform.ca) if crl_chain is None else crl_chain,
    )
