"""The documented sample of a TDX token (claims 12.3), reproduced from a synthetic domain with the same fields."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from assay.evidence.base import HeldData, HeldDataType
from assay.policy import stored_policy
from assay.result.payload import Envelope, encode_payload
from assay.simulator import TcbLevel, TrustDomain, simulate, tdx_recipe
from assay.simulator.intel.platform import COMPONENTS, PCE_SVN
from tests.appraisals import AT, Case, judge, simulated_case
from tests.shared_vectors import shared_path

if TYPE_CHECKING:
    from assay.result.attestation import AttestationResult

pytestmark = pytest.mark.optional("shared")
# The issuer's own members, which no two tokens share, and what a self-hosted service does not say (claims 10).
OF_THE_CALL = {"iss", "iat", "nbf", "exp", "jti"}
NOT_ISSUED = {"x-ms-compliance-status"}
SAMPLE = re.compile(r"### 12\.3 TDX.*?```json\n(.*?)\n```", re.DOTALL)
OURS = {"x-assay-unsafe"}
# The octets whose hash the sample's report data holds (claims 11.3).
RUNTIME = b'{ "test-claim-name" : "test-claim-value" }'


def sample() -> dict[str, Any]:
    found = SAMPLE.search(shared_path("spec/claims.md").read_text(encoding="utf-8"))
    assert found is not None
    members: dict[str, Any] = json.loads(found[1])
    return members


def domain_of(token: dict[str, Any]) -> TrustDomain:
    def octets(name: str) -> bytes:
        return bytes.fromhex(token[f"tdx_{name}"])

    return TrustDomain(
        tee_tcb_svn=octets("tee_tcb_svn"),
        mr_seam=octets("mrseam"),
        mr_signer_seam=octets("mrsignerseam"),
        seam_attributes=int.from_bytes(octets("seam_attributes"), "little"),
        attributes=int.from_bytes(octets("td_attributes"), "little"),
        xfam=int.from_bytes(octets("xfam"), "little"),
        mr_td=octets("mrtd"),
        mr_config_id=octets("mrconfigid"),
        mr_owner=octets("mrowner"),
        mr_owner_config=octets("mrownerconfig"),
        rtmrs=(octets("rtmr0"), octets("rtmr1"), octets("rtmr2"), octets("rtmr3")),
    )


def attested(token: dict[str, Any]) -> AttestationResult:
    recipe = tdx_recipe(AT, RUNTIME, domain=domain_of(token))
    # The sample's module is of version 0, whose SVN the platform's levels judge.
    levels = (TcbLevel(COMPONENTS, PCE_SVN, "UpToDate", tdx_components=(3, 0, 6, *(0,) * 13)),)
    info = replace(recipe.documents.tcb_info, levels=levels)
    case: Case = simulated_case(simulate(replace(recipe, documents=replace(recipe.documents, tcb_info=info))))
    held = HeldData(RUNTIME, HeldDataType.JSON, token["x-ms-runtime"])
    case = replace(case, submission=replace(case.submission, runtime_data=held))
    text = shared_path("spec/policies/tdxvm-docs-sample-token-policy.policy").read_text(encoding="utf-8")
    return judge(case, policy=stored_policy(text))


def test_the_documented_token_is_reproduced_member_by_member() -> None:
    documented = sample()
    payload = encode_payload(attested(documented), Envelope("https://attest.example", AT, "0" * 64))
    left_out = OF_THE_CALL | NOT_ISSUED
    assert {name: value for name, value in payload.items() if name not in left_out | OURS} == {
        name: value for name, value in documented.items() if name not in left_out
    }
    assert payload.keys() - OURS == documented.keys() - NOT_ISSUED
