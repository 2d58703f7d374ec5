"""The policies collected from public sources are read, refused, hashed and decided as their index says."""

from __future__ import annotations

import re

import pytest

from assay.claims import Claim, ClaimSet, Issuer
from assay.errors import PolicyDenied, PolicyParsingError
from assay.policy import compile_policy, issued_members, policy_hash
from tests.shared_vectors import SHARED, shared_path

from . import naive
from .claims import LEGACY, SGX, service_claims

ROW = re.compile(r"^\| `([\w.-]+\.policy)` \| [^|]+ \| (1\.\d) \| (\w+)\?? \|.*?\| `([\w-]{43})` \|", re.MULTILINE)
INDEX = SHARED / "spec/policies/README.md"
ROWS = ROW.findall(INDEX.read_text("utf-8")) if INDEX.exists() else []
SIGNER_SQL = "e31c9e505f37a58de09335075fc8591254313eb20bb1a27e5443cc450b6e33e5"
SIGNER_SQL_2 = "a0f8e7f72092fb6a5d5752ffccd47fb3af7027ffb589b24e921e81f5703f3a9a"


def text_of(name):
    return shared_path(f"spec/policies/{name}").read_bytes().decode("utf-8")


def decide(name, claims, **changes):
    """The members issued for these claims, each changed or (None) left out, or "denied"."""
    values = {
        k: v for k, v in {**claims, **{k.replace("_", "-"): v for k, v in changes.items()}}.items() if v is not None
    }
    try:
        return issued_members(compile_policy(text_of(name)).evaluate(service_claims(values)).issued)
    except PolicyDenied:
        return "denied"


def test_the_index_lists_every_policy():
    shared_path("spec/policies")
    assert sorted(row[0] for row in ROWS) == sorted(path.name for path in INDEX.parent.glob("*.policy"))
    assert len(ROWS) == 58


@pytest.mark.parametrize(("name", "version", "parse", "_hash"), ROWS)
def test_a_policy_parses_or_is_refused_as_its_index_says(name, version, parse, _hash):
    if parse == "ok":
        assert compile_policy(text_of(name)).version == version
    else:
        with pytest.raises(PolicyParsingError):
            compile_policy(text_of(name))


@pytest.mark.parametrize(("name", "_version", "_parse", "expected"), ROWS)
def test_a_policy_has_the_hash_of_the_index(name, _version, _parse, expected):
    assert policy_hash(text_of(name)) == expected


def test_the_hashes_of_the_specification_are_reproduced():
    """Policy-language 11.1: values published by the service."""
    section = shared_path("spec/policy-language.md").read_text("utf-8").split("### 11.1")[1].split("### 11.2")[0]
    published = re.findall(r"^\| `([\w.-]+\.policy)`[^|]*\| `([\w-]{43})` \|", section, re.MULTILINE)
    assert len(published) == 7
    assert [policy_hash(text_of(name)) for name, _ in published] == [value for _, value in published]


@pytest.mark.parametrize("name", [row[0] for row in ROWS if row[2] == "ok"])
def test_a_policy_that_parses_ends_without_claims_as_it_ends_for_the_naive_reader(name):
    expected = naive.evaluate(naive.read(text_of(name)), ClaimSet())
    if expected.ending is None:
        outcome = compile_policy(text_of(name)).evaluate(ClaimSet())
        assert (list(outcome.issued), list(outcome.properties)) == (expected.issued, expected.properties)
    else:
        with pytest.raises(PolicyDenied):
            compile_policy(text_of(name)).evaluate(ClaimSet())
        assert expected.ending is naive.Denied


@pytest.mark.parametrize("name", [row[0] for row in ROWS if row[2] == "template"])
def test_a_template_parses_once_its_placeholders_are_replaced(name):
    policy = compile_policy(text_of(name).replace("<product-id>", "4639").replace("<mrsigner>", "mrsigner1"))
    assert (
        issued_members(policy.evaluate(service_claims(SGX)).issued)[
            "<custom-name>" if "capital" not in name else "sgx-mrsigner"
        ]
        == "mrsigner1"
    )


@pytest.mark.parametrize(
    "name",
    [
        "default-sgx-v11-azuredefault.policy",
        "default-sgx-v11-oneline.policy",
        "default-sgx-v10-oneline.policy",
        "default-sgx-v10-docs-multiline.policy",
        "sgx-docs-tcb-baseline-11-repaired.policy",
        "sgx-blog-tcb-baseline-10.policy",
        "sgx-script-vbsenclave-tcb-baseline-10.policy",
        "sgx-sdk-js-test.policy",
    ],
)
def test_the_default_sgx_policies_issue_the_six_legacy_names(name):
    assert decide(name, SGX) == LEGACY


@pytest.mark.parametrize(
    ("name", "configuration"),
    [
        ("default-sgx-v11-oneline.policy", {"x-ms-sgx-tcbidentifier": "azuredefault"}),
        ("default-sgx-v11-azuredefault.policy", {"x-ms-sgx-tcbidentifier": "azuredefault"}),
        ("default-sgx-v10-oneline.policy", {}),
        ("sgx-docs-tcb-baseline-11-repaired.policy", {"x-ms-sgx-tcbidentifier": "11"}),
        ("sgx-blog-tcb-baseline-10.policy", {"x-ms-sgx-tcbidentifier": "10"}),
        ("tpm-docs-11-pcr-mask.policy", {"required_pcr_mask": 15, "require_valid_aik_cert": False}),
    ],
)
def test_a_policy_has_the_configuration_of_its_configuration_rules(name, configuration):
    assert dict(compile_policy(text_of(name)).configuration) == configuration


def test_a_property_of_a_configuration_rule_is_among_the_properties_of_the_outcome():
    outcome = compile_policy(text_of("default-sgx-v11-oneline.policy")).evaluate(service_claims(SGX))
    assert list(outcome.properties) == [Claim("x-ms-sgx-tcbidentifier", "azuredefault", Issuer.POLICY)]
    assert outcome.properties == ClaimSet(outcome.properties)


DOLLAR = {
    "$is-debuggable": True,
    "$sgx-mrsigner": "s",
    "$product-id": 1,
    "$svn": 0,
    "$tee": "sgx",
    "$sgx-mrenclave": "e",
}
DOLLAR_ISSUED = {
    "is-debuggable": True,
    "sgx-mrsigner": "s",
    "sgx-mrenclave": "e",
    "product-id": 1,
    "svn": 0,
    "tee": "sgx",
}


@pytest.mark.parametrize("name", ["default-sgx-v10-dollar-oneline.policy", "default-sgx-v10-dollar-docs.policy"])
def test_the_defaults_of_2020_permit_when_the_debug_claim_exists(name):
    assert decide(name, DOLLAR) == DOLLAR_ISSUED
    assert decide(name, SGX) == "denied"


@pytest.mark.parametrize(
    "name", ["sgx-sdk-dotnet-disallow-debugging.policy", "sgx-docs-signed-jwt-disallow-debugging.policy"]
)
def test_a_condition_without_type_sees_a_true_claim_of_any_type(name):
    assert decide(name, DOLLAR) == "denied"
    assert decide(name, {**DOLLAR, "$is-debuggable": False, "other": True}) == "denied"
    released = {**DOLLAR_ISSUED, "is-debuggable": False, "NotDebuggable": False}
    assert decide(name, {**DOLLAR, "$is-debuggable": False}) == released
    assert decide(name, {"other": True}) == {}


AZURE_GUEST = {
    "x-ms-azurevm-default-securebootkeysvalidated": True,
    "x-ms-azurevm-debuggersdisabled": True,
    "secureboot": True,
    "x-ms-azurevm-signingdisabled": True,
    "x-ms-azurevm-dbvalidated": True,
    "x-ms-azurevm-dbxvalidated": True,
}


@pytest.mark.parametrize("denied", AZURE_GUEST)
def test_the_azure_guest_default_denies_each_claim_that_is_false_and_names_the_rule(denied):
    policy = compile_policy(text_of("default-azureguest.policy"))
    assert issued_members(policy.evaluate(service_claims(AZURE_GUEST)).issued) == {}
    with pytest.raises(PolicyDenied) as caught:
        policy.evaluate(service_claims({**AZURE_GUEST, denied: False}))
    assert caught.value.source == f'[type=="{denied}", value==false] => deny();'
    assert caught.value.source in caught.value.message
    assert caught.value.line is not None
    assert policy.text.splitlines()[caught.value.line - 1].strip() == caught.value.source
    assert policy.evaluate(service_claims({})).issued == ClaimSet()


@pytest.mark.parametrize(
    "name", ["azurevm-constellation-no-secureboot.policy", "azurevm-constellation-terraform-docs.policy"]
)
def test_a_commented_rule_does_not_deny(name):
    assert decide(name, {**AZURE_GUEST, "secureboot": False}) == {}
    assert decide(name, {**AZURE_GUEST, "x-ms-azurevm-dbvalidated": False}) == "denied"


DEBUG, SIGNER, PRODUCT, SVN = "x-ms-sgx-is-debuggable", "x-ms-sgx-mrsigner", "x-ms-sgx-product-id", "x-ms-sgx-svn"
DRAFT_SIGNER = '"([0-9a-f]{64})"'


@pytest.mark.parametrize(
    ("name", "changes", "expected"),
    [
        ("sgx-docs-custom-template-quoted-product-id.policy", {SIGNER: "<mrsigner>"}, "denied"),
        ("sgx-docs-two-enclaves.policy", {DEBUG: True}, {}),
        ("sgx-docs-two-enclaves.policy", {DEBUG: True, SIGNER: "mrsigner2"}, {}),
        ("sgx-docs-two-enclaves.policy", {DEBUG: True, SIGNER: "mrsigner3"}, "denied"),
        ("sgx-docs-two-enclaves.policy", {}, "denied"),
        ("sgx-docs-signer-rotation-before.policy", {}, {}),
        ("sgx-docs-signer-rotation-before.policy", {SIGNER: "mrsigner2"}, "denied"),
        ("sgx-docs-signer-rotation-before.policy", {DEBUG: True}, "denied"),
        ("sgx-docs-signer-rotation-during.policy", {}, {}),
        ("sgx-docs-signer-rotation-during.policy", {SIGNER: "mrsigner2"}, {}),
        ("sgx-docs-signer-rotation-after.policy", {}, "denied"),
        ("sgx-docs-signer-rotation-after.policy", {SIGNER: "mrsigner2"}, {}),
        ("sgx-bigdl-mrenclave.policy", {}, "denied"),
        (
            "sgx-bigdl-mrenclave.policy",
            {"x-ms-sgx-mrenclave": "<your_sgx_mrenclave>"},
            {**LEGACY, "sgx-mrenclave": "<your_sgx_mrenclave>"},
        ),
        ("sgx-sdk-cpp-draft-failing.policy", {}, "denied"),
        ("sgx-sdk-cpp-draft-failing.policy", {DEBUG: True, PRODUCT: 1}, "denied"),
        ("sgx-sdk-js-keyvault-sdk-test.policy", {}, {"sdk-test": "true"}),
        ("sgx-cli-text-policy.policy", {}, "denied"),
        ("sgx-azure-sql-2021.policy", {SIGNER: SIGNER_SQL}, {}),
        ("sgx-azure-sql-2021.policy", {SIGNER: SIGNER_SQL.upper()}, "denied"),
        ("sgx-azure-sql-2021.policy", {SIGNER: SIGNER_SQL, PRODUCT: 4638}, "denied"),
        ("sgx-azure-sql-2021.policy", {SIGNER: SIGNER_SQL, PRODUCT: "4639"}, "denied"),
        ("sgx-azure-sql-two-signers.policy", {SIGNER: SIGNER_SQL_2}, {}),
        ("sgx-azure-sql-two-signers.policy", {SIGNER: SIGNER_SQL, SVN: 1}, "denied"),
        ("sgx-ita-migration-sample.policy", {}, "denied"),
    ],
)
def test_an_sgx_policy_decides_as_its_index_says(name, changes, expected):
    assert decide(name, {**SGX, **changes}) == expected


@pytest.mark.parametrize(("debug", "product", "expected"), [(True, 1, True), (False, 1, False), (True, 0, False)])
def test_the_draft_of_the_cpp_sdk_permits_debuggable_enclaves_of_its_signer(debug, product, expected):
    signer = re.findall(DRAFT_SIGNER, text_of("sgx-sdk-cpp-draft.policy"))[0]
    decision = decide("sgx-sdk-cpp-draft.policy", {**SGX, SIGNER: signer, DEBUG: debug, PRODUCT: product})
    assert decision == ({"custom-name": signer} if expected else "denied")


def test_a_policy_may_give_literal_values_to_well_known_names():
    issued = decide("sgx-keyvault-test-literal-values.policy", SGX)
    assert issued["is-debuggable"] == "true"
    assert issued["tee"] == "sgx"
    assert issued["sgx-mrsigner"] != SGX[SIGNER]
    assert "aas-ehd" not in issued


def test_a_copied_claim_keeps_its_issuer_and_a_property_is_set():
    policy = compile_policy(text_of("vbs-docs-no-security.policy"))
    incoming = ClaimSet([Claim("aas-ehd", "x", Issuer.CUSTOM), Claim("aas-ehd", "y")])
    outcome = policy.evaluate(incoming)
    assert list(outcome.issued) == [Claim("aas-ehd", "x", Issuer.CUSTOM)]
    assert list(outcome.properties) == [Claim("omit_x5c", True, Issuer.POLICY)]


TPM = {"aikValidated": True, "secureBootEnabled": True, "bootDebuggingDisabled": True, "notSafeMode": True}


@pytest.mark.parametrize(
    ("name", "claims", "expected"),
    [
        ("tpm-docs-10-platform-attested.policy", TPM, {"PlatformAttested": True}),
        ("tpm-docs-10-platform-attested.policy", {**TPM, "notSafeMode": False}, {}),
        ("tpm-docs-10-platform-attested-vbs.policy", TPM, {}),
        ("tpm-docs-10-concepts.policy", {"aikValidated": True, "secureBootEnabled": True}, {"PlatformAttested": True}),
        ("tpm-docs-10-concepts.policy", {"aikValidated": True}, {}),
        ("tpm-docs-11-pcr-mask.policy", TPM, {"PlatformAttested": True}),
        ("tpm-docs-11-pcr-mask.policy", {**TPM, "aikValidated": False}, {"PlatformAttested": False}),
        ("azurevm-supply-chain.policy", {"x-ms-azurevm-vmid": "id", "x-ms-azurevm-is-windows": True}, {"vm-id": "id", "is-windows": True}),
        ("azurevm-supply-chain.policy", {}, "denied"),
        ("aci-confidential-ai-template.policy", {"x-ms-sevsnpvm-hostdata": "$CCE_POLICY_HASH", "x-ms-compliance-status": "azure-compliant-uvm"}, {}),
        ("aci-confidential-ai-template.policy", {"x-ms-sevsnpvm-hostdata": "$CCE_POLICY_HASH"}, "denied"),
        ("snp-cua-gateway.policy", {"x-ms-sevsnpvm-is-debuggable": False, "x-ms-sevsnpvm-guestsvn": 3}, {"security-version": 3}),
        ("snp-cua-gateway.policy", {"x-ms-sevsnpvm-is-debuggable": True}, "denied"),
        ("tdx-illustrative.policy", {"x-ms-compliance-status": "azure-compliant-cvm"}, {}),
        ("tdx-illustrative.policy", {}, "denied"),
        ("default-sevsnpvm-tdxvm-oneline.policy", {}, {}),
        ("sevsnpvm-docs-sample-token-policy.policy", {}, {}),
        ("tdxvm-docs-sample-token-policy.policy", {}, {}),
    ],
)  # fmt: skip
def test_a_policy_of_another_type_decides_as_its_index_says(name, claims, expected):
    assert decide(name, claims) == expected
