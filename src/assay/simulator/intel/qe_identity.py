"""The identity of the synthetic quoting enclave (quote-verification 3.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from assay.simulator.intel.enclave import QE_MR_SIGNER
from assay.simulator.intel.signed_json import SIGNING, WINDOW, Signing, Window, format_instant, sign_document
from assay.simulator.intel.tcb_info import EVALUATION_NUMBER
from assay.simulator.intel.trust_domain import TD_QE_ISV_PROD_ID

if TYPE_CHECKING:
    from datetime import datetime

    from assay.simulator.intel.hierarchy import Hierarchy


@dataclass(frozen=True, slots=True)
class IdentityLevel:
    """One level of an enclave identity: the least ISVSVN it asks for, and what it says of an enclave that has it."""

    isv_svn: int
    status: str
    date: str = "2024-03-13T00:00:00Z"
    advisory_ids: tuple[str, ...] = ()


IDENTITY_LEVELS: Final = (
    IdentityLevel(8, "UpToDate"),
    IdentityLevel(6, "OutOfDate", "2021-11-10T00:00:00Z", ("ASSAY-SA-00004",)),
    IdentityLevel(5, "OutOfDate", "2020-11-11T00:00:00Z", ("ASSAY-SA-00004", "ASSAY-SA-00005")),
)


@dataclass(frozen=True, slots=True)
class EnclaveIdentity:
    """An enclave identity to be made; masks, attributes and signer in hex as the document has them."""

    id: str = "QE"
    version: int = 2
    window: Window = WINDOW
    evaluation_number: int = EVALUATION_NUMBER
    misc_select: str = "00000000"
    misc_select_mask: str = "FFFFFFFF"
    attributes: str = "11000000000000000000000000000000"
    attributes_mask: str = "FBFFFFFFFFFFFFFF0000000000000000"
    mr_signer: str = QE_MR_SIGNER.hex().upper()
    isv_prod_id: int = 1
    levels: tuple[IdentityLevel, ...] = IDENTITY_LEVELS
    signing: Signing = SIGNING


QE_IDENTITY: Final = EnclaveIdentity()
TD_QE_IDENTITY: Final = EnclaveIdentity("TD_QE", isv_prod_id=TD_QE_ISV_PROD_ID)


def mint_qe_identity(form: EnclaveIdentity, at: datetime, hierarchy: Hierarchy) -> bytes:
    """The identity as the PCS serves it, signed by the hierarchy's TCB signing key unless the form says otherwise."""
    inner: dict[str, object] = {
        "id": form.id,
        "version": form.version,
        "issueDate": format_instant(form.window.issued(at)),
        "nextUpdate": format_instant(form.window.expires(at)),
        "tcbEvaluationDataNumber": form.evaluation_number,
        "miscselect": form.misc_select,
        "miscselectMask": form.misc_select_mask,
        "attributes": form.attributes,
        "attributesMask": form.attributes_mask,
        "mrsigner": form.mr_signer,
        "isvprodid": form.isv_prod_id,
        "tcbLevels": [_encode_level(level) for level in form.levels],
    }
    return sign_document("enclaveIdentity", inner, form.signing, hierarchy.tcb_signing.key)


def _encode_level(level: IdentityLevel) -> dict[str, object]:
    encoded: dict[str, object] = {
        "tcb": {"isvsvn": level.isv_svn},
        "tcbDate": level.date,
        "tcbStatus": level.status,
    }
    return encoded | {"advisoryIDs": list(level.advisory_ids)} if level.advisory_ids else encoded
