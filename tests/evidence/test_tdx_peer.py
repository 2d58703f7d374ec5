"""The same real quotes of trust domains judged by dcap-qvl: verdict, status and advisories.

Where both disagree the vendor's text decides. Intel's library verifies debug domains, domains without SEPT_VE_DISABLE and
domains with a bound service TD, and leaves to its caller whether they will do (quote-verification 4, step 15: "whether it
is acceptable is policy"); the peer refuses them itself. Our rules of the same content must then refuse the same quotes.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from assay.endorsements.intel.tcb import TcbStatus
from assay.evidence.base import PlatformRules
from tests.appraisals import ANY_STATUS, claim_values, failing_check, judge, tcb_status
from tests.vectors import Vector, vectors

if TYPE_CHECKING:
    from tests.appraisals import Case

dcap_qvl = pytest.importorskip("dcap_qvl", reason="dcap-qvl is not installed")
pytestmark = [pytest.mark.optional("dcap_qvl"), pytest.mark.optional("shared")]

EVERY_STATUS = frozenset(TcbStatus)
# What the peer says, the check of ours that must say the same, and the rule under which it does.
REFUSALS = {
    "No matching TCB level found": ("tcb.level", ANY_STATUS),
    "Debug mode is enabled": ("td.debug", PlatformRules(EVERY_STATUS, allow_debug=False)),
    "SEPT_VE_DISABLE is not enabled": (
        "td.sept_ve_disable",
        PlatformRules(EVERY_STATUS, require_sept_ve_disable=True),
    ),
    "Invalid MR service TD": ("td.service_td", PlatformRules(EVERY_STATUS, allow_service_td=False)),
}
COMPLETE = ("tcb_info.json", "qe_identity.json", "pck_crl.der", "root_ca_crl.der", "pck_crl_issuer_chain.pem")
QUOTES = [
    parameter
    for kind in ("tdx-quote-v4", "tdx-quote-v5", "cvm-tdx")
    for parameter in vectors(kind)
    if parameter.values[0] is not None
    and all((parameter.values[0].folder / "collateral" / name).is_file() for name in COMPLETE)
]


def bundle(vector: Vector) -> object:
    def read(name: str) -> bytes:
        return (vector.folder / "collateral" / name).read_bytes()

    def split(name: str, member: str) -> tuple[str, bytes]:
        text = read(name).decode()
        return text[len(f'{{"{member}":') : text.rindex(',"signature"')], bytes.fromhex(json.loads(text)["signature"])

    chain = read("tcb_signing_chain.pem").decode()
    return dcap_qvl.QuoteCollateralV3(
        read("pck_crl_issuer_chain.pem").decode(),
        read("root_ca_crl.der"),
        read("pck_crl.der"),
        chain,
        *split("tcb_info.json", "tcbInfo"),
        chain,
        *split("qe_identity.json", "enclaveIdentity"),
    )


def assert_refused_alike(case: Case, message: str) -> None:
    check, rules = next(refusal for words, refusal in REFUSALS.items() if words in message)
    assert failing_check(case, rules) == check
    if check != "tcb.level":
        assert judge(case, ANY_STATUS).verdict.decisive is None


@pytest.mark.parametrize("vector", QUOTES)
def test_a_real_quote_is_judged_alike(vector: Vector) -> None:
    case = vector.case("TdxVm", "quote.bin", "td_quote.bin")
    try:
        theirs = dcap_qvl.verify(case.submission.evidence, bundle(vector), int(case.at.timestamp()))
    except ValueError as error:
        assert_refused_alike(case, str(error))
        return
    ours = judge(case, ANY_STATUS)
    assert tcb_status(ours) == str(theirs.status)
    assert claim_values(ours, "attester_advisory_ids") == list(theirs.advisory_ids)


def test_the_quotes_are_compared_where_the_vectors_are() -> None:
    assert len(QUOTES) >= 18
