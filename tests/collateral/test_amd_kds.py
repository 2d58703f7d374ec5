"""AMD's key distribution service against a stand-in: paths, levels in decimal, pace, what is refused (attack case SNP-25)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from assay.collateral import AmdKeyService, Collector
from assay.endorsements.documents import OF_AMD, DocumentKind, Need
from assay.errors import EndorsementUnavailable
from assay.evidence.base import Grounds, Submission
from assay.formats import pem
from assay.simulator import Chip, SnpRecipe, SnpReport, find_snp_knob, simulate_snp
from tests.appraisals import evidence_type
from tests.collateral.intel import ANCHORS, AT, Answer, Clock, Intel, settings

if TYPE_CHECKING:
    from assay.simulator import SimulatedSnp

PRODUCTS = ("Milan", "Genoa", "Turin")


def beside(product: str = "Milan") -> SnpRecipe:
    """A report whose certificates did not come with it."""
    return SnpRecipe(AT, chip=Chip(product), report=SnpReport(version=5 if product == "Turin" else 3), enveloped=False)


def chain_of(simulated: SimulatedSnp) -> bytes:
    return b"".join(pem.encode(one, "CERTIFICATE") for one in simulated.chain[1:])


def path_of_leaf(recipe: SnpRecipe) -> str:
    return f"/vcek/v1/{recipe.chip.product}/{recipe.chip.hardware_id.hex()}"


def answers(recipe: SnpRecipe) -> dict[str, Answer]:
    simulated, product = simulate_snp(recipe), recipe.chip.product
    assert simulated.crl is not None
    return {
        f"/vcek/v1/{product}/cert_chain": Answer(chain_of(simulated)),
        f"/vcek/v1/{product}/crl": Answer(simulated.crl),
        path_of_leaf(recipe): Answer(simulated.chain[0]),
    }


def service(vendor: Intel, clock: Clock | None = None, **changes: object) -> AmdKeyService:
    address = settings(amd_url="http://127.0.0.1:1", **changes)
    return AmdKeyService(address, transport=vendor.transport, monotonic=clock or Clock())


def needs_of(recipe: SnpRecipe) -> tuple[Need, ...]:
    kind = evidence_type("SevSnpVm")
    evidence = kind.parse(Submission(simulate_snp(recipe).evidence))
    return tuple(need for need in kind.needs(evidence, Grounds(AT, ANCHORS)) if need.kind in OF_AMD)


def collect(collector: Collector, needs: tuple[Need, ...]):
    async def run():
        try:
            return await collector.collect(needs, AT)
        finally:
            await collector.close()

    return asyncio.run(run())


def fetch(source: AmdKeyService, *needs: Need):
    async def run():
        try:
            return [await source.fetch(need) for need in needs]
        finally:
            await source.close()

    return asyncio.run(run())


@pytest.mark.parametrize("product", PRODUCTS)
def test_what_a_report_needs_is_fetched_and_verifies_it(product: str) -> None:
    recipe = beside(product)
    vendor, needs = Intel(answers(recipe)), needs_of(recipe)
    assert [need.kind for need in needs] == [
        DocumentKind.AMD_VCEK,
        DocumentKind.AMD_AUTHORITY,
        DocumentKind.AMD_CRL,
    ]
    collected = collect(Collector(ANCHORS, services=(service(vendor),), settings=settings()), needs)
    kind = evidence_type("SevSnpVm")
    submission = Submission(simulate_snp(recipe).evidence)
    kind.verify(kind.parse(submission), submission, Grounds(AT, ANCHORS, collected))


def test_levels_are_decimal_numbers_in_the_order_of_the_components() -> None:
    recipe = beside()
    vendor = Intel(answers(recipe))
    fetch(service(vendor), needs_of(recipe)[0])
    (asked,) = [target for target in vendor.asked if urlsplit(target).path == path_of_leaf(recipe)]
    expected = {"blSPL": ["4"], "teeSPL": ["0"], "snpSPL": ["24"], "ucodeSPL": ["219"]}
    assert parse_qs(urlsplit(asked).query) == expected


def test_turin_is_asked_by_eight_octets_and_with_fmc() -> None:
    recipe = beside("Turin")
    vendor = Intel(answers(recipe))
    fetch(service(vendor), needs_of(recipe)[0])
    (asked,) = [target for target in vendor.asked if urlsplit(target).path == path_of_leaf(recipe)]
    assert len(urlsplit(asked).path.rpartition("/")[2]) == 16
    assert parse_qs(urlsplit(asked).query)["fmcSPL"] == ["1"]


def test_the_chain_is_asked_for_once() -> None:
    recipe = beside()
    vendor, needs = Intel(answers(recipe)), needs_of(recipe)
    source = service(vendor)
    fetch(source, needs[1], *needs)
    assert vendor.count("/vcek/v1/Milan/cert_chain") == 1


def test_retry_after_of_one_document_holds_for_all() -> None:
    recipe, clock = beside(), Clock()
    vendor, needs = Intel(answers(recipe)), needs_of(recipe)
    vendor.good["/vcek/v1/Milan/crl"] = Answer(status=429, headers=(("Retry-After", "90"),))
    source = service(vendor, clock)
    with pytest.raises(EndorsementUnavailable) as refused:
        fetch(source, needs[2])
    assert refused.value.retry_after == 90
    asked = len(vendor.asked)
    clock.seconds = 30.0
    with pytest.raises(EndorsementUnavailable) as quiet:
        fetch(source, needs[0])
    assert (quiet.value.retry_after, len(vendor.asked)) == (60, asked)
    clock.seconds = 91.0
    fetch(source, needs[0])


def test_the_service_is_not_asked_more_often_than_its_pace() -> None:
    recipe = beside()
    vendor, needs = Intel(answers(recipe)), needs_of(recipe)
    source = service(vendor, amd_per_minute=3)
    fetch(source, needs[1], needs[2], needs[2])
    with pytest.raises(EndorsementUnavailable) as paced:
        fetch(source, needs[2])
    assert (paced.value.retry_after, len(vendor.asked)) == (20, 3)


def test_what_the_vendor_does_not_have_is_not_asked_again_at_once() -> None:
    recipe = beside()
    vendor, needs = Intel({}), needs_of(recipe)
    collector = Collector(ANCHORS, services=(service(vendor),), settings=settings(), monotonic=Clock())

    async def twice():
        try:
            return [await collector.collect(needs, AT), await collector.collect(needs, AT)]
        finally:
            await collector.close()

    first, second = asyncio.run(twice())
    assert first is second
    assert vendor.count(path_of_leaf(recipe)) == 1
    assert all("no such document" in reason for reason in first.reasons.values())


@pytest.mark.parametrize("name", ["snp-forged-pki", "snp-leaf-signed-by-stranger", "snp-authority-signed-by-stranger"])
def test_what_no_pinned_root_vouches_for_is_not_kept(name: str) -> None:
    forged = find_snp_knob(name).turn(beside())
    vendor, needs = Intel(answers(forged)), needs_of(beside())
    collector = Collector(ANCHORS, services=(service(vendor),), settings=settings())
    collected = collect(collector, needs)
    assert collected.find(needs[0]) is None
    assert all(held.need.kind is not DocumentKind.AMD_VCEK for held in collector.held)


def test_the_certificate_of_another_chip_is_no_answer() -> None:
    other = SnpRecipe(AT, chip=Chip(name="second"), enveloped=False)
    recipe = beside()
    good = answers(recipe)
    good[path_of_leaf(recipe)] = Answer(simulate_snp(other).chain[0])
    collected = collect(Collector(ANCHORS, services=(service(Intel(good)),), settings=settings()), needs_of(recipe))
    assert collected.find(needs_of(recipe)[0]) is None


@pytest.mark.parametrize("body", [b"", b"<html>", b"0" * 100, b"\x30\x03\x02\x01\x00"])
def test_a_page_in_the_place_of_a_document_is_refused(body: bytes) -> None:
    recipe = beside()
    good = answers(recipe)
    for path in good:
        with pytest.raises(EndorsementUnavailable):
            fetch(service(Intel({**good, path: Answer(body)})), *needs_of(recipe))


@pytest.mark.parametrize(
    "need",
    [
        Need(DocumentKind.AMD_VLEK, tee="Milan", platform="00" * 8),
        Need(DocumentKind.AMD_VCEK, tee="Zagreb", platform="00" * 64 + ":" + "00" * 8),
        Need(DocumentKind.AMD_VCEK, tee="Milan", platform="00" * 10 + ":00"),
        Need(DocumentKind.AMD_VCEK, tee="Milan", platform="00" * 64 + ":" + "11" * 8),
        Need(DocumentKind.AMD_AUTHORITY, tee="Milan", platform="../vcek"),
    ],
)
def test_what_the_service_does_not_have_is_not_asked_for(need: Need) -> None:
    vendor = Intel({})
    with pytest.raises(EndorsementUnavailable):
        fetch(service(vendor), need)
    assert vendor.asked == []


def test_a_report_of_version_2_without_certificates_is_looked_for_under_both_lines() -> None:
    recipe = find_snp_knob("snp-version-2").turn(beside())
    needs = needs_of(recipe)
    assert {need.tee for need in needs} == {"Milan", "Genoa"}
    vendor = Intel(answers(recipe))
    collected = collect(Collector(ANCHORS, services=(service(vendor),), settings=settings()), needs)
    kind = evidence_type("SevSnpVm")
    submission = Submission(simulate_snp(recipe).evidence)
    kind.verify(kind.parse(submission), submission, Grounds(AT, ANCHORS, collected))
