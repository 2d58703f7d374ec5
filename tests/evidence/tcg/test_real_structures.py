"""Quotes of real vTPMs of Azure, with the numbers that the shared notes state."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest

from assay.evidence._tcg.algorithms import HashAlgorithm
from assay.evidence._tcg.attest import parse_certification, parse_quote
from assay.evidence._tcg.pcrs import composite_digest, pcr_bank, pcr_policy_digest
from assay.evidence._tcg.public import ENDORSEMENT_HIERARCHY, parse_sized_public, primary_qualified_name
from assay.evidence._tcg.quote_checks import QuoteCase, quote_checks, seen_attestation_key
from assay.evidence._tcg.signature import rsassa_sha256
from assay.verdict import Entry, Outcome, run
from tests.appraisals import read_json
from tests.shared_vectors import SHARED

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.optional("shared")

REAL = SHARED / "evidence" / "azureguest"
LINUX = REAL / "azureguest-trustedlaunch-linux-v1" / "attestation_info.json"
FILES = [LINUX, REAL / "azureguest-trustedlaunch-windows-v2" / "attestation_info.json"]


def octets(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4))


def tpm_info(path: Path) -> Any:
    return read_json(path)["TpmInfo"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.parent.name)
def test_a_real_quote_passes_every_check(path: Path) -> None:
    info = tpm_info(path)
    public, _ = parse_sized_public(octets(info["AikPub"]))
    bank = pcr_bank(HashAlgorithm.SHA256, [(pcr["Index"], octets(pcr["Digest"])) for pcr in info["PCRs"]])
    quote, signature = parse_quote(octets(info["PcrQuote"])), rsassa_sha256(octets(info["PcrSignature"]))
    entries: list[Entry] = []
    run(quote_checks("quote"), QuoteCase(quote, signature, public.key, {bank.algorithm: bank}, b""), entries)
    assert {entry.outcome for entry in entries} == {Outcome.PASSED}
    assert seen_attestation_key(public).observed == "attributes 0x50472"
    assert quote.header.qualified_signer == primary_qualified_name(public, ENDORSEMENT_HIERARCHY)
    encryption, _ = parse_sized_public(octets(info["EncKeyPub"]))
    assert parse_certification(octets(info["EncKeyCertifyInfo"])).name == encryption.name
    policy = pcr_policy_digest(quote.selections, {bank.algorithm: bank}, HashAlgorithm.SHA256)
    assert encryption.auth_policy == policy


def test_the_stated_numbers_of_the_linux_machine_come_out() -> None:
    info = tpm_info(LINUX)
    public, _ = parse_sized_public(octets(info["AikPub"]))
    encryption, _ = parse_sized_public(octets(info["EncKeyPub"]))
    quote = parse_quote(octets(info["PcrQuote"]))
    bank = pcr_bank(HashAlgorithm.SHA256, [(pcr["Index"], octets(pcr["Digest"])) for pcr in info["PCRs"]])
    assert public.name.hex() == "000bdf9384f3405b5864df73888f0b638cc5f17da9b38a71cbcc363de4fd6f857a76"
    assert quote.header.qualified_signer.hex() == "000bbc4f60efd165d10dc8d00ed2921cd40082c034b70edcb5da3efb23acbd09d5df"
    assert encryption.name.hex() == "000bab29751384f27c4b51d2dcadc43c070abc030292dd5e7547dca095d8c035652a"
    assert encryption.auth_policy.hex() == "9aee21fd7c1cfa39d34f419ccf4e081de16bb3b217f6da915090db1224c9fe94"
    computed = composite_digest(quote.selections, {bank.algorithm: bank}, HashAlgorithm.SHA256)
    assert computed.hex() == "736d0111a03a38a9557a0f1e9697f5d6dae65aae2e62dc2da064bec26ddc7d27"
    assert quote.pcr_digest == computed
