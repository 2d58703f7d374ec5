"""Attacks on SEV-SNP evidence (attack cases SNP-01 to SNP-24, AZ-13), each one knob of good evidence, and controls."""

from __future__ import annotations

from dataclasses import replace

import pytest

from assay.endorsements.amd.tcb import TcbVersion
from assay.endorsements.anchors import TrustAnchors
from assay.errors import EndorsementUnavailable, Malformed, VerificationFailed
from assay.evidence.base import PlatformRules
from assay.evidence.platform_rules import Listing, MinimumTcb
from assay.simulator import (
    SNP_KNOBS,
    SNP_VARIANTS,
    Chip,
    SnpKnob,
    SnpRecipe,
    SnpReport,
    Tcb,
    find_snp_knob,
    simulate_snp,
)
from tests.appraisals import AT, HELD, SIMULATED, claim_values, failing_check, judge, refusal
from tests.snp_cases import snp_case

BASES = {
    "Milan": SnpRecipe(AT, HELD),
    "Genoa": SnpRecipe(AT, HELD, chip=Chip("Genoa")),
    "Turin": SnpRecipe(AT, HELD, chip=Chip("Turin"), report=SnpReport(version=5)),
    "VLEK": SnpRecipe(AT, HELD, chip=Chip("Milan", vlek=True)),
}
STRICT = PlatformRules(strict=True)
_OF_CHIPS = {"snp-hwid-missing", "snp-hwid-short", "snp-chip-of-another", "snp-chip-masked"}
_NOT_FOR = {
    **{name: {"VLEK"} for name in _OF_CHIPS},
    # The key's certificate is of Turin's structure, which such reports cannot name.
    "snp-version-2": {"Turin"},
    "snp-hwid-wrapped": {"VLEK"},
    "snp-vlek-masked": {"VLEK"},
    "snp-leaf-twice": set(),
}


def _applicable(knobs: tuple[SnpKnob, ...]) -> list[object]:
    return [
        pytest.param(knob, base, id=f"{knob.name}-{name}")
        for knob in knobs
        for name, base in BASES.items()
        if name not in _NOT_FOR.get(knob.name, set())
    ]


@pytest.mark.parametrize("rules", [PlatformRules(), STRICT], ids=["defaults", "strict"])
@pytest.mark.parametrize("base", BASES.values(), ids=BASES)
def test_the_control_without_any_change_is_accepted(base: SnpRecipe, rules: PlatformRules) -> None:
    result = judge(snp_case(simulate_snp(base)), rules)
    assert claim_values(result, "x-ms-attestation-type") == ["sevsnpvm"]
    assert result.marks == ("simulator",)


@pytest.mark.parametrize(("knob", "base"), _applicable(tuple(k for k in SNP_KNOBS if not k.rule)))
def test_a_negative_is_refused_by_the_check_of_its_attack_case(knob: SnpKnob, base: SnpRecipe) -> None:
    error, decisive = refusal(snp_case(knob.apply(base)))
    assert decisive.check.name == knob.trips
    assert isinstance(error, VerificationFailed | EndorsementUnavailable) or knob.trips == "evidence.form"
    assert error.code


@pytest.mark.parametrize(("knob", "base"), _applicable(tuple(k for k in SNP_KNOBS if k.rule)))
def test_a_negative_under_a_rule_is_refused_there_and_accepted_without_it(knob: SnpKnob, base: SnpRecipe) -> None:
    case = snp_case(knob.apply(base))
    rules = {
        "allow_debug": PlatformRules(allow_debug=False),
        "allow_migration": PlatformRules(allow_migration=False),
        "highest_vmpl": PlatformRules(highest_vmpl=0),
    }
    assert failing_check(case, rules[knob.rule]) == knob.trips
    assert failing_check(case, STRICT) == knob.trips
    judge(case)


@pytest.mark.parametrize(("knob", "base"), _applicable(SNP_VARIANTS))
def test_a_variant_of_good_evidence_is_accepted(knob: SnpKnob, base: SnpRecipe) -> None:
    judge(snp_case(knob.apply(base)))


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("snp-version-1", "UnsupportedReportVersion"),
        ("snp-version-6", "UnsupportedReportVersion"),
        ("snp-algorithm-2", "UnsupportedSignatureAlgorithm"),
        ("snp-signing-key-none", "UnsupportedSigningKey"),
        ("snp-processor-unknown", "UnsupportedProcessor"),
        ("snp-cut", "MalformedEvidence"),
    ],
)
def test_what_is_not_supported_has_its_own_code(name: str, code: str) -> None:
    error, _ = refusal(snp_case(find_snp_knob(name).apply(BASES["Milan"])))
    assert isinstance(error, Malformed)
    assert error.code == code


@pytest.mark.parametrize("name", ["snp-crl-missing", "snp-crl-expired", "snp-crl-not-yet"])
def test_without_a_list_of_the_time_nothing_is_decided_and_the_unsafe_switch_tolerates_it(name: str) -> None:
    case = snp_case(find_snp_knob(name).apply(BASES["Milan"]))
    error, _ = refusal(case)
    assert isinstance(error, EndorsementUnavailable)
    assert "ark_crl.der" in error.documents[0]
    judge(case, unsafe_no_revocation=True)


def test_a_list_of_another_time_that_revokes_still_does_under_the_unsafe_switch() -> None:
    revoked = find_snp_knob("snp-authority-revoked").turn(BASES["Milan"])
    case = snp_case(find_snp_knob("snp-crl-expired").apply(revoked))
    with pytest.raises(VerificationFailed) as caught:
        judge(case, unsafe_no_revocation=True)
    assert caught.value.code == "VekAuthorityRevoked"


def test_turin_s_fmc_is_compared_too() -> None:
    base = BASES["Turin"]
    beyond = Tcb(fmc=2)
    recipe = replace(base, report=replace(base.report, reported=beyond, current=beyond))
    assert failing_check(snp_case(simulate_snp(recipe))) == "report.tcb"


def test_the_tail_of_turin_s_chip_identifier_is_zero() -> None:
    base = BASES["Turin"]
    recipe = replace(base, report=replace(base.report, chip_id=base.chip.hardware_id + b"\x01" * 56))
    assert failing_check(snp_case(simulate_snp(recipe))) == "report.chip_id"


def test_a_masked_chip_without_its_certificate_is_refused_and_not_looked_for() -> None:
    masked = find_snp_knob("snp-chip-masked").turn(BASES["Milan"])
    case = snp_case(find_snp_knob("snp-beside").apply(masked))
    error, decisive = refusal(replace(case, documents={}))
    assert isinstance(error, VerificationFailed)
    assert decisive.check.name == "vek_chain.available"


def test_chips_and_generations_are_admitted_by_the_operator_s_lists() -> None:
    case = snp_case(simulate_snp(BASES["Milan"]))
    chip = BASES["Milan"].chip.chip_id
    assert failing_check(case, PlatformRules(chip_ids=Listing(denied=frozenset({chip})))) == "report.chip_listing"
    assert failing_check(case, PlatformRules(chip_ids=Listing(frozenset({bytes(64)})))) == "report.chip_listing"
    judge(case, PlatformRules(chip_ids=Listing(frozenset({chip}))))
    assert failing_check(case, PlatformRules(generations=Listing(denied=frozenset({"milan"})))) == "report.generation"
    judge(case, PlatformRules(generations=Listing(frozenset({"milan", "genoa"}))))


def test_a_masked_chip_is_in_no_list_of_allowed_ones() -> None:
    case = snp_case(find_snp_knob("snp-vlek-masked").apply(BASES["Milan"]))
    rules = PlatformRules(chip_ids=Listing(frozenset({bytes(64)})))
    assert failing_check(case, rules) == "report.chip_listing"


@pytest.mark.parametrize("field", ["reported", "committed", "launch"])
def test_reported_committed_and_launch_tcb_all_reach_the_minimum(field: str) -> None:
    good = SnpRecipe(AT, HELD)
    least = PlatformRules(minimum_tcb=(MinimumTcb("milan", (("microcode", 219),)),))
    judge(snp_case(simulate_snp(good)), least)
    lower = Tcb(microcode=218)
    recipe = replace(good, report=SnpReport(**{field: lower}))  # type: ignore[arg-type]
    if field == "reported":
        recipe = replace(good, chip=Chip(tcb=lower))
    assert failing_check(snp_case(simulate_snp(recipe)), least) == "report.minimum_tcb"


def test_provisional_firmware_does_not_lift_what_is_committed() -> None:
    recipe = replace(SnpRecipe(AT, HELD), report=SnpReport(current=Tcb(microcode=230)))
    judge(snp_case(simulate_snp(recipe)))
    least = PlatformRules(minimum_tcb=(MinimumTcb("milan", (("microcode", 230),)),))
    assert failing_check(snp_case(simulate_snp(recipe)), least) == "report.minimum_tcb"


def test_the_measurement_does_not_move_with_the_runtime_data() -> None:
    one, other = (judge(snp_case(simulate_snp(SnpRecipe(AT, held)))) for held in (b"one", b"other"))
    names = {claim.type for claim in one.statement.incoming}
    moved = {name for name in names if claim_values(one, name) != claim_values(other, name)}
    assert moved == {"x-ms-sevsnpvm-reportdata"}


def test_the_check_for_aliases_is_asked_for_by_a_rule() -> None:
    wanted = PlatformRules(require_alias_check=True)
    judge(snp_case(simulate_snp(BASES["Milan"])), wanted)
    without = simulate_snp(replace(BASES["Milan"], report=SnpReport(platform_info=0x05)))
    assert failing_check(snp_case(without), wanted) == "report.alias_check"
    judge(snp_case(without))


def test_a_root_in_the_message_is_not_believed_for_being_there() -> None:
    case = snp_case(find_snp_knob("snp-forged-pki").apply(BASES["Milan"]))
    assert failing_check(case) == "vek_chain.root"
    assert failing_check(replace(snp_case(simulate_snp(BASES["Milan"])), anchors=_only_intel())) == "vek_chain.root"


def _only_intel() -> TrustAnchors:
    kept = tuple(anchor for anchor in SIMULATED.anchors if not anchor.name.startswith("ARK-"))
    return TrustAnchors(kept)


def test_components_are_ordered_one_by_one() -> None:
    assert TcbVersion(1, 2, 3, 4).is_at_most(TcbVersion(1, 2, 3, 4))
    assert not TcbVersion(1, 2, 3, 4).is_at_most(TcbVersion(9, 9, 9, 3))
