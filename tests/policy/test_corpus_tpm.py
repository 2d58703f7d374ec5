"""The collected TPM policies of version 1.2 decide and issue as their index says, over hand-made evidence claims."""

from __future__ import annotations

import json

import pytest

from assay.claims import Claim, ClaimSet, Issuer
from assay.errors import PolicyDenied, PolicyEvaluationError, PolicyParsingError
from assay.policy import compile_policy, issued_members
from assay.policy.readings import STRICT
from tests.shared_vectors import shared_path

from . import naive
from .windows_log import boundary, events_of, variable


def text_of(name):
    return shared_path(f"spec/policies/{name}").read_bytes().decode("utf-8")


def decide(name, **claims):
    """The members issued for these claims of the service; JSON for those that are no claim values."""
    incoming = ClaimSet(
        Claim(key.replace("_", "-") if key.startswith("x_ms") else key, value if isinstance(value, str | int) else json.dumps(value))
        for key, value in claims.items()
    )  # fmt: skip
    outcome = compile_policy(text_of(name)).evaluate(incoming)
    expected = naive.evaluate(naive.read(text_of(name)), incoming)
    assert (list(outcome.issued), list(outcome.properties)) == (expected.issued, expected.properties)
    return issued_members(outcome.issued)


BOOT = events_of(
    variable("SecureBoot", "AQ"),
    boundary(12, CODEINTEGRITY=True, BITLOCKER_UNLOCK={"Value": 4, "String": "TPM"}, BOOTDEBUGGING=False),
    boundary(12, VBS_VSM_REQUIRED=True, VBS_MANDATORY_ENFORCEMENT=True),
    boundary(13, LOADEDMODULE_AGGREGATION=[{"EVENT_FILEPATH": "\\Windows\\System32\\Drivers\\WdBoot.sys", "EVENT_IMAGEVALIDATED": True}]),
)  # fmt: skip
BOOT_CLAIMS = {"aikValidated": True, "SecureBootEnabled": True, "CodeIntegrityEnabled": True}
BOOT_CLAIMS |= {"BitlockerStatus": True, "ELAMDriverLoaded": True}
# What a rule over JMESPath text says of a machine without events: `BitlockerStatus` is the claim that is missing.
BARE_CLAIMS = dict.fromkeys(("SecureBootEnabled", "CodeIntegrityEnabled", "BitlockerStatus", "ELAMDriverLoaded"), False)


def test_the_full_sample_of_2022_issues_its_five_claims():
    name = "tpm-docs-12-full-2022.policy"
    assert decide(name, tpmVersion=2, aikValidated=True, events=BOOT) == BOOT_CLAIMS
    assert decide(name, tpmVersion=2) == BARE_CLAIMS
    assert dict(compile_policy(text_of(name)).configuration) == {
        "required_pcr_mask": 131070,
        "require_valid_aik_cert": False,
    }
    for version in (1, "2"):
        with pytest.raises(PolicyDenied):
            compile_policy(text_of(name)).evaluate(ClaimSet([Claim("tpmVersion", version)]))


def test_a_claim_added_with_one_value_and_issued_with_another_shows_the_issued_one():
    """Policy-language 8: 4 is added, true is issued."""
    outcome = compile_policy(text_of("tpm-docs-12-full-2022.policy")).evaluate(
        ClaimSet([Claim("tpmVersion", 2), Claim("events", BOOT)])
    )
    assert [claim.value for claim in outcome.issued if claim.type == "BitlockerStatus"] == [True]


def test_the_boot_properties_sample_issues_its_five_claims():
    assert decide("tpm-docs-12-windows-boot-properties.policy", aikValidated=True, events=BOOT) == BOOT_CLAIMS
    assert decide("tpm-docs-12-windows-boot-properties.policy") == BARE_CLAIMS


LINUX = (
    (1, "EV_EFI_VARIABLE_BOOT", {"UnicodeName": "BootOrder", "VariableData": "AAAB"}),
    *(variable(name, data) for name, data in (("SecureBoot", "AQ"), ("PK", "UEs"), ("KEK", "S0VL"), ("db", "ZGI"))),
    (10, "IMA_MEASUREMENT_EVENT", {"KernelVersion": "5.10", "Keyring": ".ima"}),
    (10, "IMA_MEASUREMENT_EVENT", {"Keyring": ".builtin_trusted_keys", "CertificateSubject": "CN=a"}),
    (10, "IMA_MEASUREMENT_EVENT", {"Keyring": ".builtin_trusted_keys", "CertificateSubject": "CN=b"}),
)


def test_the_linux_sample_issues_what_boot_variables_and_measurements_say():
    issued = decide("tpm-docs-12-linux-ima.policy", aikValidated=True, events=events_of(*LINUX))
    assert issued == {
        "bootOrder": "AAAB",
        "secureBootEnabled": True,
        "platformKey": "UEs",
        "keyExchangeKey": "S0VL",
        "keyDatabase": "ZGI",
        "forbiddenSignatures": False,
        "kernelVersions": "5.10",
        "builtintrustedkeys": ["CN=a", "CN=b"],
    }


def test_the_linux_sample_gives_its_defaults_only_when_there_are_no_events_at_all():
    """Policy-language 8: a rule negating the claim of a JMESPath text never fires once the text was added."""
    defaults = dict.fromkeys(("bootOrder", "platformKey", "keyExchangeKey", "keyDatabase", "forbiddenSignatures"), 0)
    assert decide("tpm-docs-12-linux-ima.policy", aikValidated=True) == {
        **defaults,
        "kernelVersions": 0,
        "builtintrustedkeys": 0,
        "secureBootEnabled": False,
    }
    found = decide("tpm-docs-12-linux-ima.policy", aikValidated=True, events=events_of())
    assert found == {**dict.fromkeys(defaults, False), "secureBootEnabled": False}
    with pytest.raises(PolicyDenied):
        decide("tpm-docs-12-linux-ima.policy", aikValidated=False, events=events_of(*LINUX))


def key(kty="RSA", name_alg=11, obj_attr=50, auth_policy="AQIDBA"):
    certify = {"name_alg": name_alg, "obj_attr": obj_attr, "auth_policy": auth_policy}
    return {"jwk": {"kty": kty}, "info": {"tpm_certify": certify}}


def test_the_key_sample_issues_what_the_keys_satisfy():
    name = "tpm-docs-12-key-attest-issuance.policy"
    quoted = {"jwk": {"kty": "RSA"}, "info": {"tpm_quote": {"hash_alg": "sha-256"}}}
    assert decide(name, x_ms_tpm_request_key=key()) == {
        "requestKeyType": "RSA",
        "requestKeyCertifyNameAlg": 11,
        "requestKeyCertifyObjAttr": 50,
        "requestKeyCertifyAuthPolicy": "AQIDBA",
    }
    assert decide(name, x_ms_tpm_request_key=quoted) == {"requestKeyType": "RSA", "requestKeyQuoteHashAlg": "sha-256"}
    assert decide(name, x_ms_tpm_request_key=key("EC", 4, 1, "")) == {}
    others = [key(), key("EC", 12, 51, "AAAA")]
    assert decide(name, x_ms_tpm_other_keys=others) == {
        "otherKeysTypes": "RSA",
        "otherKeysCertifyNameAlgs": 11,
        "otherKeysCertifyObjAttr": 50,
        "otherKeysCertifyAuthPolicy": "AQIDBA",
    }
    assert decide(name) == {}


def test_the_key_sample_that_issues_while_authorizing_permits_and_puts_nothing_in_the_token():
    name = "tpm-docs-12-key-attest-authorization.policy"
    assert decide(name, x_ms_tpm_request_key=key()) == {}
    unfit: tuple[dict, ...] = (key(obj_attr=51), key(obj_attr="50"), {"jwk": {}, "info": {}}, {})
    for refused in unfit:
        with pytest.raises(PolicyDenied):
            decide(name, x_ms_tpm_request_key=refused)
    with pytest.raises(PolicyParsingError):
        compile_policy(text_of(name), STRICT)


GOLDEN = (
    "4c833b1c361fceffd8dc0f81eec76081b71e1a0eb2193caed0b6e1c7735ec33e",
    "8c25e3be6ad6f5bd33c9ae40d5d5461e88c1a7366df0c9ee5c7e5ff40d3d1d0e",
    "3d458cfe55cc03ea1f443f1562beec8df51c75e14a9fcf9a7234a13f198e7969",
    "3d458cfe55cc03ea1f443f1562beec8df51c75e14a9fcf9a7234a13f198e7969",
)


def pcrs(*digests):
    return {"PCRs": [{"Index": index, "Digests": {"SHA256": digest}} for index, digest in enumerate(digests)]}


def test_the_golden_values_permit_exactly_themselves():
    name = "tpm-docs-12-pcr-golden.policy"
    assert decide(name, pcrs=pcrs(*GOLDEN)) == {}
    wrong = [
        pcrs(*GOLDEN[:3]),
        pcrs(*GOLDEN[:3], GOLDEN[0]),
        pcrs(*reversed(GOLDEN)),
        pcrs(*(one.upper() for one in GOLDEN)),
        {},
    ]
    for found in wrong:
        with pytest.raises(PolicyDenied):
            decide(name, pcrs=found)
    with pytest.raises(PolicyDenied):
        compile_policy(text_of(name)).evaluate(
            ClaimSet([Claim("pcrs", json.dumps(pcrs(*GOLDEN)), Issuer.CUSTOM)]),
        )


@pytest.mark.parametrize("query", ["PCRs[0].Digests.SHA256", "PCRs[9]"])
def test_what_is_found_in_the_registers_is_not_issued_when_it_is_something(query):
    text = (
        "version=1.2;authorizationrules{=>permit();};issuancerules{"
        f'c:[type=="pcrs"] => issue(type="a", value=JsonToClaimValue(JmesPath(c.value, "{query}")));}};'
    )
    incoming = ClaimSet([Claim("pcrs", json.dumps(pcrs(*GOLDEN)))])
    if query == "PCRs[9]":
        assert list(compile_policy(text).evaluate(incoming).issued) == []
    else:
        with pytest.raises(PolicyEvaluationError):
            compile_policy(text).evaluate(incoming)


STATE_AUTH = boundary(20, DRTM_STATE_AUTH={"SignatureValid": True})
SECURED = {"secureBootEnabled": True, "bootDebuggingDisabled": False, "vbsEnabled": True, "drtmMleValid": False}


def test_the_secured_core_sample_never_finds_its_signature_since_it_compares_numbers_with_strings():
    name = "tpm-docs-12-secured-core.policy"
    secure = (variable("SecureBoot", "AQ"), boundary(12, VBS_VSM_REQUIRED=True, VBS_MANDATORY_ENFORCEMENT=True))
    assert decide(name, events=events_of(*secure, STATE_AUTH)) == SECURED
    assert decide(name) == dict.fromkeys(SECURED, False)


def test_the_secured_core_sample_with_bare_numbers_fails_when_it_is_evaluated():
    policy = compile_policy(text_of("tpm-docs-12-secured-core-bare-numbers.policy"))
    with pytest.raises(PolicyEvaluationError) as caught:
        policy.evaluate(ClaimSet([Claim("events", events_of(STATE_AUTH))]))
    assert not isinstance(caught.value, PolicyDenied)
    assert issued_members(policy.evaluate(ClaimSet()).issued) == dict.fromkeys(SECURED, False)
