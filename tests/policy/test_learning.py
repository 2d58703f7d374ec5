"""A learnt policy admits what it was learnt from, and nothing else; what is unsound is not learnt."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from assay.claims import Claim, ClaimSet, Issuer
from assay.cli.policy_vocabulary import facts_of, vocabulary_of
from assay.errors import PolicyDenied, PolicyError
from assay.policy.evaluation import compile_afresh
from assay.policy.layout import format_policy
from assay.policy.learning import Facts, Sample, Scope, Use, learn_policy
from assay.policy.lint import lint_policy
from assay.simulator import Enclave, Recipe, simulate
from assay.simulator.intel.enclave import DEBUG, INIT, KSS, MODE64
from tests.appraisals import AT, judge, simulated_case
from tests.examples import examples

FACTS = facts_of("SgxEnclave")


def incoming(**fields):
    """The claims of synthetic evidence of an enclave."""
    return judge(
        simulated_case(simulate(Recipe(AT, runtime_data=b"held", enclave=Enclave(**fields))))
    ).statement.incoming


@pytest.fixture(scope="module")
def claims():
    return {
        "first": incoming(isv_svn=3),
        "newer": incoming(isv_svn=5),
        "older": incoming(isv_svn=2),
        "other build": incoming(mr_enclave=bytes(32), isv_svn=3),
        "other signer": incoming(mr_signer=bytes(32), isv_svn=3),
        "other product": incoming(isv_prod_id=2, isv_svn=3),
        "debug": incoming(flags=INIT | MODE64 | DEBUG, isv_svn=3),
        "configured": incoming(flags=INIT | MODE64 | KSS, config_id=b"\1" * 64, config_svn=1, isv_svn=3),
        "configured otherwise": incoming(flags=INIT | MODE64 | KSS, config_id=b"\2" * 64, isv_svn=3),
    }


def learn(*samples, facts=FACTS, scope=Scope.BUILD, test_issuer=False):
    return learn_policy([Sample(f"s{i}", one) for i, one in enumerate(samples)], facts, scope, test_issuer=test_issuer)


def admits(text, claim_set):
    try:
        compile_afresh(text).evaluate(claim_set)
    except PolicyDenied:
        return False
    return True


@pytest.mark.parametrize(
    ("learnt", "admitted"),
    [
        (["first"], {"first", "newer"}),
        (["first", "older"], {"first", "newer", "older"}),
        (["newer"], {"newer"}),
        (["first", "other build"], {"first", "newer", "other build"}),
        (["configured"], {"configured"}),
        (["first", "configured"], {"first", "newer", "configured"}),
        (["configured", "configured otherwise"], {"configured", "configured otherwise"}),
    ],
)
def test_what_was_learnt_is_admitted_and_nothing_else(claims, learnt, admitted):
    text = learn(*(claims[name] for name in learnt))
    assert {name for name, one in claims.items() if admits(text, one)} == admitted


def test_with_the_scope_of_the_signer_new_builds_are_admitted_and_other_products_are_not(claims):
    text = learn(claims["first"], scope=Scope.SIGNER)
    assert {name for name, one in claims.items() if admits(text, one)} == {"first", "newer", "other build"}


def test_held_data_and_old_names_do_not_matter(claims):
    text = learn(claims["first"])
    other = ClaimSet(
        replace_value(claim, "0" * 128)
        for claim in claims["first"]
        if not claim.type.startswith("$") and "ehd" not in claim.type
    )
    assert admits(text, other)


def replace_value(claim, value):
    return Claim(claim.type, value, claim.issuer) if claim.type == "x-ms-sgx-report-data" else claim


def test_the_state_of_the_platform_may_be_any_that_was_seen(claims):
    def rated(name, status):
        return ClaimSet(
            Claim(claim.type, status) if claim.type == "attester_tcb_status" else claim for claim in claims[name]
        )

    text = learn(claims["first"], rated("other build", "SWHardeningNeeded"))
    assert admits(text, rated("first", "SWHardeningNeeded"))
    assert not admits(text, rated("first", "ConfigurationNeeded"))


def test_the_text_is_in_the_fixed_layout_and_lint_finds_nothing(claims):
    for text in (
        learn(claims["first"]),
        learn(claims["first"], claims["configured"]),
        learn(claims["first"], scope=Scope.SIGNER),
    ):
        assert format_policy(text) == text
        assert lint_policy(text, vocabulary_of("SgxEnclave")) == ()


def test_the_comments_name_the_samples_and_say_why_for_every_claim(claims):
    text = learn(claims["first"])
    comments = "\n".join(line for line in text.splitlines() if line.startswith("//"))
    assert "s0" in comments
    for claim in claims["first"]:
        assert claim.type not in FACTS or f"//   {claim.type}: " in comments


@pytest.mark.parametrize(
    ("learnt", "reason"),
    [
        ([], "no evidence"),
        (["first", "debug"], "s1: x-ms-sgx-is-debuggable is true"),
        (["first", "other signer"], "differ in the signer"),
    ],
)
def test_what_is_unsound_is_not_learnt(claims, learnt, reason):
    with pytest.raises(PolicyError, match=reason):
        learn(*(claims[name] for name in learnt))


def test_one_build_under_two_signers_is_not_learnt_for_the_signers_either(claims):
    with pytest.raises(PolicyError, match="differ in the signer"):
        learn(claims["first"], claims["other signer"], scope=Scope.SIGNER)


def test_evidence_that_nothing_tells_from_others_is_not_learnt():
    with pytest.raises(PolicyError, match="no claim tells it from strangers"):
        learn(ClaimSet([Claim("x-ms-sgx-svn", 1)]))
    with pytest.raises(PolicyError, match="no claim names a signer"):
        learn(ClaimSet([Claim("x-ms-sgx-product-id", 1)]), scope=Scope.SIGNER)


def test_a_claim_with_several_values_is_not_pinned():
    with pytest.raises(PolicyError, match="has 2 values"):
        learn(ClaimSet([Claim("x-ms-sgx-mrenclave", "a"), Claim("x-ms-sgx-mrenclave", "b")]))


def test_absence_is_not_learnt_where_it_takes_a_version_that_lacks_the_claims():
    facts = {"a": Facts(Use.PINNED, "", before_1_2=True), "b": Facts(Use.PINNED, "")}
    with pytest.raises(PolicyError, match=r"version 1\.2"):
        learn(ClaimSet([Claim("a", 1)]), ClaimSet([Claim("a", 1), Claim("b", 1)]), facts=facts)


def test_too_many_claims_are_not_pinned():
    names = [f"c{index}" for index in range(33)]
    facts = {name: Facts(Use.PINNED, "") for name in names}
    with pytest.raises(PolicyError, match="at most 32"):
        learn(ClaimSet(Claim(name, 1) for name in names), facts=facts)


def test_claims_of_callers_neither_teach_nor_pass_where_the_issuer_is_tested():
    facts = facts_of("Tpm")
    good = ClaimSet([Claim("aikValidated", True), Claim("tpmVersion", 2)])
    text = learn(good, facts=facts, test_issuer=True)
    assert admits(text, good)
    assert not admits(text, ClaimSet([Claim("aikValidated", True, Issuer.CUSTOM), Claim("tpmVersion", 2)]))
    with pytest.raises(PolicyError, match="no claim tells"):
        learn(ClaimSet([Claim("aikValidated", True, Issuer.CUSTOM)]), facts=facts)


def test_names_and_values_of_strangers_stay_inside_their_comments_and_strings():
    facts = {"a": Facts(Use.PINNED, "why")}
    odd = 'x" \\"] => permit(); \\\n//'
    text = learn_policy([Sample("n\n=> permit();", ClaimSet([Claim("a", odd)]))], facts, Scope.BUILD, test_issuer=False)
    assert admits(text, ClaimSet([Claim("a", odd)]))
    assert not admits(text, ClaimSet([Claim("a", "x")]))


USES = {
    "m": Facts(Use.MEASUREMENT, "m"),
    "s": Facts(Use.SIGNER, "s"),
    "p": Facts(Use.PINNED, "p"),
    "q": Facts(Use.PINNED, "q"),
    "v": Facts(Use.MINIMUM, "v"),
    "t": Facts(Use.ANY_OF, "t"),
    "d": Facts(Use.DEBUG, "d"),
    "x": Facts(Use.LEFT_OUT, "x"),
}
small = st.fixed_dictionaries(
    {},
    optional={
        "m": st.sampled_from("ab"),
        "s": st.sampled_from("ab"),
        "p": st.sampled_from((1, True, "1")),
        "q": st.booleans(),
        "v": st.integers(0, 3),
        "t": st.sampled_from("ab"),
        "d": st.just(False),
        "x": st.integers(0, 3),
    },
)


def kind_of(values):
    """What makes two attesters one: pinned values with their types, and which other judged claims there are."""
    return (
        {name: (type(values[name]), values[name]) for name in "mspqd" if name in values},
        "t" in values,
        "v" in values,
    )


def is_like(found, learnt):
    """The meaning of a learnt policy, said without the policy language."""
    alike = [one for one in learnt if kind_of(one) == kind_of(found)]
    return (
        bool(alike)
        and found.get("v", 0) >= min(one.get("v", 0) for one in alike)
        and ("t" not in found or found["t"] in {one.get("t") for one in learnt})
    )


@settings(
    max_examples=examples(600), deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
@given(st.lists(small, min_size=1, max_size=4), small, st.booleans())
def test_random_learning_admits_exactly_what_it_says(learnt, found, debug):
    def claims_of(values):
        return ClaimSet(Claim(name, value) for name, value in values.items())

    try:
        text = learn(*map(claims_of, learnt), facts=USES)
    except PolicyError:
        assume(False)
    for one in learnt:
        assert admits(text, claims_of(one))
    if debug:
        found = {**found, "d": True}
    expected = found.get("d") is not True and is_like(found, learnt)
    assert admits(text, claims_of(found)) == expected
