"""What lint says of random policies, held against what the evaluator does with them."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from assay.claims import Claim, ClaimSet, ValueType
from assay.errors import PolicyDenied, PolicyError, PolicyEvaluationError
from assay.policy.evaluation import compile_afresh
from assay.policy.lint import KnownClaim, Vocabulary, lint_policy
from assay.policy.lint.places import place_rules
from assay.policy.tokens import tokenize
from tests.examples import examples
from tests.shared_vectors import SHARED, shared_path

from .strategies import TYPES, policy_texts

many = settings(
    max_examples=examples(500),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
# The values that claims below have, by name.
VALUES = {
    "a": ("a", "x", "1"),
    "b": (0, 1, 2),
    "c": (True, False),
    "pcrs": ("a", 1, True, '{"a":1}'),
}
VOCABULARY = Vocabulary(
    {
        "a": (KnownClaim(ValueType.STRING),),
        "b": (KnownClaim(ValueType.INTEGER),),
        "c": (KnownClaim(ValueType.BOOLEAN),),
        "pcrs": tuple(map(KnownClaim, ValueType)),
    }
)
claim_sets = st.builds(
    ClaimSet,
    st.lists(
        st.sampled_from(TYPES).flatmap(lambda name: st.builds(Claim, st.just(name), st.sampled_from(VALUES[name]))),
        max_size=6,
    ),
)
random_policies = st.one_of(policy_texts(), policy_texts(("1.2",)))
NEVER = {"never-holds", "type-mismatch", "unknown-name", "value-form"}


def linted(text):
    try:
        compile_afresh(text)
    except PolicyError:
        assume(False)
    return lint_policy(text, VOCABULARY)


def ending_of(text, incoming):
    try:
        outcome = compile_afresh(text).evaluate(incoming)
    except PolicyDenied:
        return "denied"
    except PolicyEvaluationError:
        return "failed"
    return set(outcome.issued), set(outcome.properties)


def result_of(text, incoming):
    """The ending, one refusal as good as another: a later deny for the same reason may come after an error."""
    ending = ending_of(text, incoming)
    return "refused" if isinstance(ending, str) else ending


def without(text, number):
    """The text without one rule, by its number."""
    words = [word.text for word in tokenize(text)][:-1]
    kept, inside, rule = [], False, 0
    for word in words:
        if word in "{}":
            inside = word == "{"
        elif inside:
            is_gone = rule == number
            rule += word == ";"
            if is_gone:
                continue
        kept.append(word)
    return " ".join(kept)


@many
@given(random_policies, claim_sets)
def test_a_rule_of_which_lint_says_that_it_never_fires_does_not(text, incoming):
    places = place_rules(text)
    findings = [one for one in linted(text) if one.kind.code in NEVER and ", so this rule never" in one.message]
    assume(findings)
    for finding in findings:
        # A rule that never fires can be replaced by nothing.
        number = max(index for index, place in enumerate(places) if place.span[:2] <= finding.span[:2])
        assert ending_of(text, incoming) == ending_of(without(text, number), incoming)


@many
@given(random_policies, claim_sets)
def test_a_rule_of_which_lint_says_that_it_has_no_effect_has_none(text, incoming):
    starts = [place.span for place in place_rules(text)]
    findings = [one for one in linted(text) if one.kind.code == "no-effect"]
    assume(findings)
    for finding in findings:
        shorter = without(text, starts.index(finding.span))
        assert result_of(text, incoming) == result_of(shorter, incoming)


@many
@given(random_policies, claim_sets)
def test_what_never_permits_denies_and_what_always_permits_does_not(text, incoming):
    codes = {finding.kind.code for finding in linted(text)}
    ending = ending_of(text, incoming)
    if "never-permits" in codes:
        assert ending in ("denied", "failed")
    if "always-permits" in codes:
        assert ending != "denied"


@many
@given(random_policies)
def test_every_finding_points_into_the_text(text):
    lines = text.removeprefix("\ufeff").split("\n")
    for finding in linted(text):
        assert 1 <= finding.span.line <= len(lines)
        assert finding.span.column < max(len(lines[finding.span.line - 1]), 1)
        assert finding.message
        assert finding.remedy
        assert finding.kind.explanation


JUSTIFIED = {
    # Placeholders where evidence has digests.
    "aci-confidential-ai-template.policy": {"value-form", "never-permits"},
    "sgx-bigdl-mrenclave.policy": {"value-form", "never-permits"},
    "sgx-docs-custom-template-quoted-product-id.policy": {"value-form", "type-mismatch", "never-permits"},
    "sgx-docs-signer-rotation-after.policy": {"value-form", "never-permits"},
    "sgx-docs-signer-rotation-before.policy": {"value-form", "never-permits"},
    "sgx-docs-signer-rotation-during.policy": {"value-form", "never-permits"},
    "sgx-docs-two-enclaves.policy": {"value-form", "never-permits"},
    "snp-cua-gateway.policy": {"value-form"},
    # Names that no service makes, and a digest in upper case.
    "sgx-cli-text-policy.policy": {"unknown-name", "value-form", "never-permits"},
    "sgx-ita-migration-sample.policy": {"unknown-name", "never-permits"},
    "azurevm-supply-chain.policy": {"unknown-name"},
    "sgx-keyvault-test-literal-values.policy": {"unknown-name"},
    "tdx-illustrative.policy": {"unknown-name", "not-in-version"},
    # A claim that an earlier rule of the longer sample adds, and this one does not.
    "tpm-docs-12-secured-core.policy": {"never-holds"},
    "tpm-docs-12-secured-core-bare-numbers.policy": {"never-holds"},
}


@pytest.mark.parametrize("name", sorted(path.name for path in (SHARED / "spec/policies").glob("*.policy")))
def test_of_the_corpus_only_what_is_justified_is_said_never_to_hold(name):
    from assay.cli.policy_vocabulary import vocabulary_of

    text = shared_path(f"spec/policies/{name}").read_bytes().decode("utf-8")
    try:
        findings = lint_policy(text, vocabulary_of(None))
    except PolicyError:
        return
    never = {finding.kind.code for finding in findings} & (NEVER | {"not-in-version", "never-permits"})
    assert never == JUSTIFIED.get(name, set())


def test_the_windows_samples_fall_into_the_trap_of_the_empty_filter():
    from assay.cli.policy_vocabulary import vocabulary_of

    for name in ("tpm-csp-12-windows-health", "tpm-docs-12-full-2022", "tpm-docs-12-windows-boot-properties"):
        text = shared_path(f"spec/policies/{name}.policy").read_bytes().decode("utf-8")
        codes = [finding.kind.code for finding in lint_policy(text, vocabulary_of("Tpm"))]
        assert codes.count("empty-filter") == 1
