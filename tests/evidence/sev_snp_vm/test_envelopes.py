"""Envelopes of SEV-SNP evidence: what differs from a remembered one in its report only is read alike, nothing else is."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from assay.errors import MalformedEvidence
from assay.evidence.sev_snp_vm.report import parse_sev_snp_vm
from assay.formats import base64url
from assay.simulator import SnpRecipe, SnpReport, simulate_snp
from tests.appraisals import AT

ONE = simulate_snp(SnpRecipe(AT))
OTHER = simulate_snp(replace(SnpRecipe(AT), report=SnpReport(vmpl=3)))
CHAIN = json.loads(ONE.evidence)["VcekCertChain"]
FIRST, SECOND = base64url.encode(ONE.report), base64url.encode(OTHER.report)


def both(first: str, second: str) -> tuple[bytes, bytes]:
    """The reports that two envelopes are read as, the first one read before the second."""
    return parse_sev_snp_vm(first.encode()).report.octets, parse_sev_snp_vm(second.encode()).report.octets


@pytest.mark.parametrize(
    "form",
    [
        '{"SnpReport":"%s","VcekCertChain":"%s"}',
        '{ "SnpReport" : "%s",\r\n "VcekCertChain" : "%s" }\r\n',
        '{"snpreport":"%s","vcekcertchain":"%s"}',
        '{"SnpReport":"%s","VcekCertChain":"%s","Other":1}',
    ],
)
def test_another_report_in_the_same_envelope_is_that_report(form: str) -> None:
    assert both(form % (FIRST, CHAIN), form % (SECOND, CHAIN)) == (ONE.report, OTHER.report)


def test_the_report_is_the_member_of_its_name_wherever_it_stands() -> None:
    form = '{"X":"%s","SnpReport":"%s","VcekCertChain":"%s"}'
    assert both(form % (FIRST, FIRST, CHAIN), form % (SECOND, FIRST, CHAIN)) == (ONE.report, ONE.report)
    form = '{"Snp Report":"%s","SnpReport":"%s","VcekCertChain":"%s"}'
    assert both(form % (FIRST, FIRST, CHAIN), form % (SECOND, FIRST, CHAIN)) == (ONE.report, ONE.report)


@pytest.mark.parametrize("text", ["é" + FIRST[1:], "\\u0041" + FIRST[6:], '"' + FIRST[1:], " " + FIRST[1:]])
def test_what_is_not_base64_is_refused_after_a_good_envelope_too(text: str) -> None:
    form = '{"SnpReport":"%s","VcekCertChain":"%s"}'
    parse_sev_snp_vm((form % (FIRST, CHAIN)).encode())
    with pytest.raises(MalformedEvidence):
        parse_sev_snp_vm((form % (text, CHAIN)).encode())


def test_a_repeated_member_is_refused_although_the_rest_was_seen() -> None:
    form = '{"SnpReport":"%s","VcekCertChain":"%s"}'
    parse_sev_snp_vm((form % (FIRST, CHAIN)).encode())
    with pytest.raises(MalformedEvidence):
        parse_sev_snp_vm((form % (FIRST, CHAIN)).replace("}", ',"snpreport":"AA"}').encode())
