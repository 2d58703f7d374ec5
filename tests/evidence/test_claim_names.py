"""The table of incoming claims holds every claim that a built type makes, with its type and form."""

from __future__ import annotations

from dataclasses import replace

import pytest

from assay.claims import ValueType, value_type
from assay.evidence import EVIDENCE_TYPES
from assay.evidence.base import HeldData, HeldDataType
from assay.evidence.claim_names import (
    CONFIGURATION_PROPERTIES,
    INCOMING_CLAIMS,
    ISSUANCE_PROPERTIES,
    TAKES_CUSTOM_CLAIMS,
    Says,
)
from assay.simulator import Enclave, Recipe, ReportForm, find_knob, simulate, tdx_recipe
from assay.simulator.intel.enclave import DEBUG, INIT, KSS, MODE64
from tests.appraisals import AT, judge, simulated_case
from tests.shared_vectors import shared_path

HELD = b'{"key":"value"}'
RECIPES = {
    "plain": Recipe(AT),
    "held data": Recipe(AT, runtime_data=HELD),
    "debug": Recipe(AT, enclave=Enclave(flags=INIT | MODE64 | DEBUG)),
    "key separation and sharing": Recipe(AT, enclave=Enclave(flags=INIT | MODE64 | KSS)),
}


@pytest.mark.parametrize("json", [False, True], ids=["binary", "json"])
@pytest.mark.parametrize("enveloped", [False, True], ids=["SgxEnclave", "OpenEnclave"])
@pytest.mark.parametrize("recipe", RECIPES.values(), ids=list(RECIPES))
def test_every_claim_of_synthetic_evidence_is_in_the_table(recipe, enveloped, json):
    case = simulated_case(simulate(replace(recipe, envelope=ReportForm() if enveloped else None)), enveloped=enveloped)
    if json and case.submission.runtime_data is not None:
        held = HeldData(HELD, HeldDataType.JSON, {"key": "value"})
        case = replace(case, submission=replace(case.submission, runtime_data=held))
    table = INCOMING_CLAIMS[case.kind.name]
    incoming = judge(case).statement.incoming
    assert len(incoming) > 10
    for claim in incoming:
        known = table[claim.type]
        assert value_type(claim.value) is known.value_type, claim.type
        assert known.hex_digits is None or len(str(claim.value)) == known.hex_digits
        assert known.values == () or claim.value in known.values


@pytest.mark.parametrize("knob", ["td-1.0", "td-1.5", "td-log", "td-debug", "hardening-needed"])
def test_every_claim_of_a_synthetic_trust_domain_is_in_the_table(knob):
    result = judge(simulated_case(find_knob(knob).apply(tdx_recipe(AT, HELD))))
    table = INCOMING_CLAIMS["TdxVm"]
    for claim in result.statement.incoming:
        known = table[claim.type]
        assert value_type(claim.value) is known.value_type, claim.type
        assert known.hex_digits is None or len(str(claim.value)) == known.hex_digits
        assert known.values == () or claim.value in known.values
    # All but these are in the token as they are before the policy (claims 5).
    alike = {claim.type for claim in result.statement.incoming} - {"attester_advisory_ids", "events"}
    assert alike <= result.statement.members.keys()


def test_every_built_type_has_a_table():
    assert {kind.name for kind in EVIDENCE_TYPES} <= INCOMING_CLAIMS.keys()
    assert INCOMING_CLAIMS.keys() == CONFIGURATION_PROPERTIES.keys() == ISSUANCE_PROPERTIES.keys()
    assert INCOMING_CLAIMS.keys() >= TAKES_CUSTOM_CLAIMS


@pytest.mark.parametrize("name", INCOMING_CLAIMS)
def test_the_table_is_sound(name):
    table = INCOMING_CLAIMS[name]
    for claim_name, claim in table.items():
        assert claim.hex_digits is None or claim.value_type is ValueType.STRING
        assert (claim.says is Says.DEBUG) <= (claim.safe is not None), claim_name
        assert claim.replaced_by is None or claim.replaced_by in table
        assert claim.says is not Says.SVN or claim.value_type is ValueType.INTEGER
        assert claim.safe is None or value_type(claim.safe) is claim.value_type
    # What a rule can pin at most, with room for the presence of optional claims.
    pinned = [c for c in table.values() if c.says in (Says.MEASUREMENT, Says.SIGNER, Says.IDENTITY, Says.SETTING)]
    assert len(pinned) + sum(c.says in (Says.SVN, Says.DEBUG, Says.TCB) for c in table.values()) <= 32


@pytest.mark.parametrize(
    ("name", "section"), [("SevSnpVm", "## 4."), ("TdxVm", "## 5."), ("AzureGuest", "## 6."), ("Tpm", "### 7.1")]
)
def test_every_name_of_the_specification_is_in_the_table(name, section):
    page = shared_path("spec/claims.md").read_text("utf-8")
    mark = section.partition(" ")[0]
    text = page[page.index(section) :].split(f"\n{mark} ")[0]
    rows = [line.split("|")[1].strip() for line in text.splitlines() if line.startswith("| `")]
    names = [cell.split("`")[1] for cell in rows]
    assert len(names) > 8
    assert [one for one in names if one not in INCOMING_CLAIMS[name]] == []
