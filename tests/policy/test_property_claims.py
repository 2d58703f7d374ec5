"""What property claims ask for, with their defaults, bounds and errors (policy-language 9)."""

from __future__ import annotations

import pytest

from assay.claims import Claim
from assay.errors import PolicyEvaluationError
from assay.policy import (
    TokenProperties,
    VerificationProperties,
    compile_policy,
    read_token_properties,
    read_verification_properties,
)
from tests.shared_vectors import shared_path

from .version_1_2 import compiled, failure, run


def test_a_policy_that_asks_for_nothing_has_the_documented_defaults():
    assert read_verification_properties({}) == VerificationProperties(
        require_valid_aik_cert=True, required_pcr_mask=16_777_215, tcb_identifier="azuredefault"
    )
    assert read_token_properties(()) == TokenProperties(report_validity_in_minutes=None, omit_x5c=False)
    assert read_verification_properties({}).required_pcrs == tuple(range(24))


@pytest.mark.parametrize(("mask", "pcrs"), [(15, (0, 1, 2, 3)), (131_070, tuple(range(1, 17))), (0, ())])
def test_a_mask_names_pcrs_by_its_bits(mask, pcrs):
    assert read_verification_properties({"required_pcr_mask": mask}).required_pcrs == pcrs


def test_the_sample_policies_have_the_properties_that_their_index_says():
    text = shared_path("spec/policies/tpm-docs-11-pcr-mask.policy").read_text("utf-8")
    properties = read_verification_properties(compile_policy(text).configuration)
    assert properties == VerificationProperties(require_valid_aik_cert=False, required_pcr_mask=15)
    text = shared_path("spec/policies/tpm-docs-12-full-2022.policy").read_text("utf-8")
    properties = read_verification_properties(compile_policy(text).configuration)
    assert properties == VerificationProperties(require_valid_aik_cert=False, required_pcr_mask=131_070)


def test_the_tcb_identifier_is_any_string_here():
    assert read_verification_properties({"x-ms-sgx-tcbidentifier": "17"}).tcb_identifier == "17"


@pytest.mark.parametrize(
    ("minutes", "meant"), [(1, 1), (5760, 5760), (525_600, 525_600), (525_601, 525_600), (2**62, 525_600)]
)
def test_the_validity_of_a_report_is_at_most_a_year(minutes, meant):
    outcome = run(f'=>issueproperty(type="report_validity_in_minutes",value={minutes});')
    assert read_token_properties(outcome.properties) == TokenProperties(report_validity_in_minutes=meant)


@pytest.mark.parametrize("minutes", [0, -1])
def test_a_validity_of_no_minute_is_an_error(minutes):
    outcome = run(f'=>issueproperty(type="report_validity_in_minutes",value={minutes});')
    with pytest.raises(PolicyEvaluationError, match="less than a minute"):
        read_token_properties(outcome.properties)


def test_the_last_claim_of_a_name_is_meant_and_unknown_names_are_not_looked_at():
    rules = '=>issueproperty(type="omit_x5c",value=false);=>issueproperty(type="omit_x5c",value=true);'
    outcome = run(rules + '=>issueproperty(type="else",value="x");', configuration='=>issueproperty(type="y",value=1);')
    assert read_token_properties(outcome.properties) == TokenProperties(omit_x5c=True)
    assert read_verification_properties({"unknown": 7}) == VerificationProperties()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("require_valid_aik_cert", "true"),
        ("require_valid_aik_cert", 1),
        ("required_pcr_mask", "15"),
        ("required_pcr_mask", True),
        ("required_pcr_mask", -1),
        ("required_pcr_mask", 0x1000000),
        ("x-ms-sgx-tcbidentifier", 11),
        ("x-ms-sgx-tcbidentifier", True),
    ],
)
def test_a_configuration_property_of_a_wrong_type_or_range_is_an_error(name, value):
    with pytest.raises(PolicyEvaluationError, match=name):
        read_verification_properties({name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("report_validity_in_minutes", "60"),
        ("report_validity_in_minutes", True),
        ("omit_x5c", "true"),
        ("omit_x5c", 1),
    ],
)
def test_a_token_property_of_a_wrong_type_is_an_error(name, value):
    with pytest.raises(PolicyEvaluationError, match=name):
        read_token_properties([Claim(name, value)])


def test_a_configuration_rule_may_compute_its_value():
    configuration = '=>issueproperty(type="required_pcr_mask",value=JsonToClaimValue("131070"));'
    assert dict(compiled(configuration=configuration).configuration) == {"required_pcr_mask": 131_070}


def test_a_configuration_rule_that_fails_sets_nothing_and_fails_every_evaluation():
    configuration = '=>issueproperty(type="a",value=1);=>issueproperty(type="b",value=JsonToClaimValue("x"));=>issueproperty(type="c",value=1);'
    assert dict(compiled(configuration=configuration).configuration) == {"a": 1}
    assert "not JSON" in failure("", configuration=configuration).message
