"""Sections h and i: TDX quotes with memory full, and of a new platform, as for SGX."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from assay.appraise import parse_evidence
from assay.endorsements.anchors import trust_anchors
from assay.endorsements.intel.tcb import TcbStatus
from assay.evidence.base import Endorsements, Grounds, PlatformRules, Submission
from assay.evidence.tdx_vm import TDX_VM
from assay.pki.signatures import load_p256_point
from assay.simulator import TDX_MACHINE, Simulated, TrustDomain, find_knob, mint_quote, simulate, tdx_recipe
from assay.simulator.intel.quote import TDX_QUOTE_FORM
from bench import peer
from bench.measure import interleaved
from bench.report import Line, Target, ratio_line, time_line
from bench.subjects import AT, documents, each_in_turn

if TYPE_CHECKING:
    from collections.abc import Callable

    from assay.evidence.tdx_vm.verify import VerifiedTdxQuote

QUOTES: Final = 200
PLATFORMS: Final = 600
_ANY: Final = PlatformRules(frozenset(TcbStatus))


@dataclass(frozen=True, slots=True)
class _Domain:
    """A trust domain's evidence and collateral, and the grounds with that collateral."""

    simulated: Simulated
    grounds: Grounds

    def verify(self, quote: bytes) -> VerifiedTdxQuote:
        submission = Submission(quote)
        return TDX_VM.verify(parse_evidence(TDX_VM, submission), submission, self.grounds)

    def status(self, quote: bytes) -> str:
        tolerant = replace(self, grounds=replace(self.grounds, rules=_ANY))
        return tolerant.verify(quote).tcb.evaluation.status.value


def _arrange(knob: str = "td-1.0") -> _Domain:
    simulated = simulate(find_knob(knob).turn(tdx_recipe(AT)))
    grounds = Grounds(AT, trust_anchors(allow_simulator=True))
    needs = TDX_VM.needs(TDX_VM.parse(Submission(simulated.quote)), grounds)
    found = documents(simulated.collateral)
    return _Domain(simulated, replace(grounds, endorsements=Endorsements({need: found[need.kind] for need in needs})))


def _p256_verify(domain: _Domain) -> Callable[[], object]:
    """The signature of a quote by `cryptography`, key and DER signature prepared."""
    quote = TDX_VM.parse(Submission(domain.simulated.quote))
    key = load_p256_point(quote.block.attestation_key)
    r, s = (int.from_bytes(half, "big") for half in (quote.signature[:32], quote.signature[32:]))
    signature, algorithm = encode_dss_signature(r, s), ec.ECDSA(SHA256())
    return lambda: key.verify(signature, quote.signed, algorithm)


def _quotes_of_one_platform() -> tuple[bytes, ...]:
    domains = (TrustDomain(report_data=number.to_bytes(64, "big")) for number in range(QUOTES))
    return tuple(mint_quote(domain, TDX_MACHINE, TDX_QUOTE_FORM) for domain in domains)


def _quotes_of_platforms() -> tuple[bytes, ...]:
    platforms = (replace(TDX_MACHINE.platform, name=f"tdx platform {number}") for number in range(PLATFORMS))
    machines = (replace(TDX_MACHINE, platform=platform) for platform in platforms)
    return tuple(mint_quote(TrustDomain(), machine, TDX_QUOTE_FORM) for machine in machines)


def warm() -> tuple[Line, ...]:
    """(h) Every call another quote of a known platform: parse and verify."""
    domain, quotes = _arrange(), _quotes_of_one_platform()
    subjects = {"floor": _p256_verify(domain), "ours": each_in_turn(quotes, domain.verify)}
    if peer.is_here():
        subjects["peer"] = each_in_turn(quotes, peer.verifier(domain.simulated))
    found = interleaved(subjects, 5)
    lines = [ratio_line("TDX: parse + verify, beside one P-256 verify", found["ours"], found["floor"], Target(1.25))]
    if "peer" not in found:
        return (*lines, Line(peer.ABSENT, ""))
    lines.append(time_line("dcap-qvl, the same quotes and collateral", found["peer"]))
    lines.append(ratio_line("TDX: parse + verify, beside dcap-qvl", found["ours"], found["peer"], Target(0.15)))
    lines.append(_agreement(quotes))
    return tuple(lines)


def _agreement(quotes: tuple[bytes, ...]) -> Line:
    """Both verifiers on quotes of an up-to-date domain, of one behind, and of one to launch again."""
    pairs = []
    for domain, sent in (
        (_arrange(), quotes),
        *((other, (other.simulated.quote,)) for other in map(_arrange, ("td-module-out-of-date", "td-relaunch"))),
    ):
        theirs = peer.verifier(domain.simulated)
        pairs += [(domain.status(quote), theirs(quote)) for quote in sent]
    agreed = sum(ours == other for ours, other in pairs)
    seen = ", ".join(sorted({other for _, other in pairs}))
    return Line(f"statuses that agree ({seen})", f"{agreed}/{len(pairs)}")


def new_platform() -> tuple[Line, ...]:
    """(i) The collateral is known; every call brings a PCK certificate that was never seen."""
    domain = _arrange()
    domain.verify(domain.simulated.quote)
    theirs = peer.verifier(domain.simulated) if peer.is_here() else None
    once, waiting = _p256_verify(domain), iter(_quotes_of_platforms())
    ours, floor, other = [], [], []
    while batch := list(islice(waiting, 15)):
        # Each quote is verified once: a second time its platform would be known.
        ours.append(_time(lambda: [domain.verify(quote) for quote in batch]) / len(batch))
        floor.append(_time(lambda: [once() for _ in range(3)]))
        if theirs is not None:
            other.append(_time(lambda: [theirs(quote) for quote in batch]) / len(batch))
    lines = [ratio_line("TDX: new platform, beside three P-256 verifies", min(ours), min(floor))]
    if not other:
        return (*lines, Line(peer.ABSENT, ""))
    lines.append(time_line("dcap-qvl, the same quotes and collateral", min(other)))
    lines.append(ratio_line("TDX: new platform, beside dcap-qvl", min(ours), min(other), Target(0.6)))
    return tuple(lines)


def _time(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return 1e6 * (time.perf_counter() - start)
