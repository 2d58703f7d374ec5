"""The checks of a quote: each refuses what only it looks at."""

from __future__ import annotations

import pytest

from assay.errors import VerificationFailed
from assay.evidence._tcg.algorithms import HashAlgorithm
from assay.evidence._tcg.attest import parse_quote
from assay.evidence._tcg.pcrs import PcrBank, pcr_bank
from assay.evidence._tcg.public import parse_public
from assay.evidence._tcg.quote_checks import QuoteCase, quote_checks, seen_attestation_key, seen_scheme
from assay.evidence._tcg.signature import parse_signature
from assay.simulator.rsa_keys import derive_rsa_key
from assay.simulator.tpm import structures as tpm
from assay.verdict import Entry, Mismatch, Outcome, run

KEY = derive_rsa_key("tpm ak")
VALUES = {index: bytes([index]) * 32 for index in range(8)}
SELECTION = ((tpm.SHA256, tuple(range(8))),)
CHECKS = quote_checks("quote")


def case(
    selection: tpm.Selection = SELECTION,
    banks: dict[HashAlgorithm, PcrBank] | None = None,
    *,
    form: tpm.AttestForm | None = None,
    nonce: bytes | None = b"nonce",
    algorithm: int = tpm.SHA256,
) -> QuoteCase:
    quoted: dict[int, dict[int, bytes]] = {tpm.SHA256: VALUES, tpm.SHA1: {index: bytes(20) for index in range(8)}}
    octets = tpm.encode_quote(
        selection, tpm.composite(selection, quoted, algorithm), form or tpm.AttestForm(extra_data=b"nonce")
    )
    signature = parse_signature(tpm.encode_signature(KEY, octets, algorithm=algorithm))
    return QuoteCase(parse_quote(octets), signature, KEY.public_key(), banks or bank(), nonce)


def bank(values: dict[int, bytes] | None = None) -> dict[HashAlgorithm, PcrBank]:
    return {HashAlgorithm.SHA256: pcr_bank(HashAlgorithm.SHA256, list((values or VALUES).items()))}


def failing(subject: QuoteCase) -> str:
    with pytest.raises(VerificationFailed) as caught:
        run(CHECKS, subject, [])
    return caught.value.check


def test_a_good_quote_passes() -> None:
    entries: list[Entry] = []
    run(CHECKS, case(), entries)
    assert {entry.outcome for entry in entries} == {Outcome.PASSED}


def test_a_quote_without_a_nonce_to_compare_says_so() -> None:
    entries: list[Entry] = []
    run(CHECKS, case(nonce=None), entries)
    outcomes = {entry.check.name: entry.outcome for entry in entries}
    assert outcomes["quote.nonce"] is Outcome.NOT_APPLICABLE


def test_a_signature_by_another_key_is_refused() -> None:
    other = derive_rsa_key("tpm other ak").public_key()
    assert failing(case()._replace(key=other)) == "quote.signature"


def test_tpm_22_a_quote_signed_with_sha_1_is_refused() -> None:
    assert failing(case(algorithm=tpm.SHA1)) == "quote.signature"


@pytest.mark.parametrize("extra", [b"", b"nonc", b"nonce\0", b"a nonce", b"other"])
def test_tpm_07_another_nonce_is_refused(extra: bytes) -> None:
    assert failing(case(form=tpm.AttestForm(extra_data=extra))) == "quote.nonce"


def test_tpm_03_a_quote_of_no_pcr_is_refused() -> None:
    assert failing(case(((tpm.SHA256, ()),))) == "quote.banks"
    assert failing(case(())) == "quote.banks"


def test_a_quote_of_the_sha_1_bank_alone_is_refused() -> None:
    assert failing(case(((tpm.SHA1, tuple(range(8))),))) == "quote.banks"


def test_tpm_04_values_of_another_bank_than_the_quoted_one_are_refused() -> None:
    both = ((tpm.SHA1, tuple(range(8))), (tpm.SHA256, (0,)))
    assert failing(case(both)) == "quote.selection"


def test_tpm_06_a_missing_value_is_refused_and_so_is_one_too_many() -> None:
    fewer = {index: value for index, value in VALUES.items() if index != 5}
    assert failing(case(banks=bank(fewer))) == "quote.selection"
    assert failing(case(banks=bank({**VALUES, 9: bytes(32)}))) == "quote.selection"


def test_a_changed_value_is_refused() -> None:
    assert failing(case(banks=bank({**VALUES, 5: bytes(32)}))) == "quote.composite"


@pytest.mark.parametrize(
    "form",
    [
        *(tpm.PublicForm(tpm.ATTESTATION_KEY & ~bit) for bit in (0x2, 0x10, 0x20, 0x10000, 0x40000)),
        tpm.PublicForm(tpm.ATTESTATION_KEY | 0x20000),
        tpm.PublicForm(name_algorithm=tpm.SHA1),
        tpm.PublicForm(scheme_hash=tpm.SHA1),
    ],
)
def test_tpm_08_a_key_that_signs_other_things_is_no_attestation_key(form: tpm.PublicForm) -> None:
    with pytest.raises(Mismatch):
        seen_attestation_key(parse_public(tpm.encode_public(KEY, form)))


def test_tpm_08_a_short_key_is_no_attestation_key() -> None:
    with pytest.raises(Mismatch):
        seen_attestation_key(parse_public(tpm.encode_public(derive_rsa_key("tpm short", 1024))))


def test_an_attestation_key_is_one_under_a_fixed_scheme_or_none() -> None:
    for form in (tpm.ATTESTATION_FORM, tpm.PublicForm(scheme=tpm.NULL)):
        assert seen_attestation_key(parse_public(tpm.encode_public(KEY, form))).observed == "attributes 0x50472"


def test_tpm_22_a_signature_of_another_scheme_than_the_keys_is_refused() -> None:
    public = parse_public(tpm.encode_public(KEY, tpm.PublicForm(scheme=tpm.RSAPSS)))
    pss = parse_signature(tpm.encode_signature(KEY, b"octets", tpm.RSAPSS))
    assert seen_scheme(public, pss).observed == "RSAPSS"
    for scheme, algorithm in ((tpm.RSASSA, tpm.SHA256), (tpm.RSAPSS, tpm.SHA384)):
        with pytest.raises(Mismatch):
            seen_scheme(public, parse_signature(tpm.encode_signature(KEY, b"octets", scheme, algorithm)))
