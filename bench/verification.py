"""Sections a to d: the crypto floor, and verification with memory full, of a new platform, and empty."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from assay.endorsements.intel.tcb import TcbStatus
from assay.evidence.base import PlatformRules, Submission
from assay.pki.signatures import load_p256_point
from assay.simulator import Machine, Platform
from assay.simulator.intel.platform import COMPONENTS
from bench import peer
from bench.caches import clear_caches
from bench.measure import interleaved
from bench.report import Line, Target, ratio_line, time_line
from bench.subjects import KIND, Case, arrange, each_in_turn, quotes_of_one_platform, quotes_of_platforms, verify

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# Few enough to stay in the processor's cache, where a quote is that has just been received; none is remembered.
QUOTES: Final = 200
PLATFORMS: Final = 1500
_AGREEMENT: Final = QUOTES


def p256_verify(case: Case) -> Callable[[], object]:
    """One P-256 verification by `cryptography`, key and DER signature prepared: the signature of a quote."""
    quote = KIND.parse(Submission(case.simulated.quote))
    key = load_p256_point(quote.block.attestation_key)
    r, s = (int.from_bytes(half, "big") for half in (quote.signature[:32], quote.signature[32:]))
    signature, algorithm = encode_dss_signature(r, s), ec.ECDSA(SHA256())
    return lambda: key.verify(signature, quote.signed, algorithm)


def rsa_sign() -> Callable[[], object]:
    """One RSA-2048 signature by `cryptography` over a message of a token's size."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    message, scheme, digest = bytes(2000), padding.PKCS1v15(), SHA256()
    return lambda: key.sign(message, scheme, digest)


def three_times(work: Callable[[], object]) -> Callable[[], object]:
    def thrice() -> None:
        work()
        work()
        work()

    return thrice


def floor() -> tuple[Line, ...]:
    """(a) What the cryptography alone costs on this machine, now."""
    once = p256_verify(arrange())
    found = interleaved({"1": once, "3": three_times(once), "rsa": rsa_sign()}, 2)
    return (
        time_line("one P-256 verify", found["1"]),
        time_line("three P-256 verifies", found["3"]),
        time_line("one RSA-2048 sign", found["rsa"]),
    )


def warm() -> tuple[Line, ...]:
    """(b) Every call another quote of a known platform: parse and verify."""
    case, quotes = arrange(), quotes_of_one_platform(QUOTES)
    ours = each_in_turn(quotes, lambda quote: verify(quote, case.grounds))
    subjects = {"floor": p256_verify(case), "ours": ours}
    if not peer.is_here():
        found = interleaved(subjects, 4)
        return (_against_floor(found), Line(peer.ABSENT, ""))
    theirs = peer.verifier(case.simulated)
    found = interleaved({**subjects, "peer": each_in_turn(quotes, theirs)}, 5)
    return (
        _against_floor(found),
        time_line("dcap-qvl, the same quotes and collateral", found["peer"]),
        ratio_line(
            "parse + verify, beside dcap-qvl (which caches nothing)", found["ours"], found["peer"], Target(0.15)
        ),
        _agreement(case, quotes[:_AGREEMENT], theirs),
    )


def _against_floor(found: dict[str, float]) -> Line:
    return ratio_line("parse + verify, beside one P-256 verify", found["ours"], found["floor"], Target(1.25))


def _agreement(case: Case, quotes: Sequence[bytes], theirs: Callable[[bytes], str]) -> Line:
    """Both verifiers on quotes of an up-to-date and of an outdated platform."""
    outdated = arrange(Machine(Platform("outdated", components=(10, 10, *COMPONENTS[2:]))))
    quote = outdated.simulated.quote
    pairs = [(status(quote, case), theirs(quote)) for quote in quotes]
    pairs.append((status(quote, outdated), peer.verifier(outdated.simulated)(quote)))
    agreed = sum(ours == other for ours, other in pairs)
    seen = ", ".join(sorted({other for _, other in pairs}))
    return Line(f"TCB statuses that agree with dcap-qvl ({seen})", f"{agreed}/{len(pairs)}")


def status(quote: bytes, case: Case) -> str:
    """The converged TCB status that we find, whether it is accepted or not."""
    grounds = replace(case.grounds, rules=PlatformRules(frozenset(TcbStatus)))
    return verify(quote, grounds).platform.evaluation.status.value


def new_platform() -> tuple[Line, ...]:
    """(c) The collateral is known; every call brings a PCK certificate that was never seen."""
    case = arrange()
    verify(case.simulated.quote, case.grounds)
    once = three_times(p256_verify(case))
    theirs = peer.verifier(case.simulated) if peer.is_here() else None
    quotes = quotes_of_platforms(PLATFORMS)
    ours, floor_, other = [], [], []
    waiting = iter(quotes)
    while batch := list(islice(waiting, 15)):
        # Each quote is verified once: a second time its platform would be known.
        ours.append(_time(lambda: [verify(quote, case.grounds) for quote in batch]) / len(batch))
        floor_.append(_time(once))
        if theirs is not None:
            other.append(_time(lambda: [theirs(quote) for quote in batch]) / len(batch))
    lines = [ratio_line("new platform, beside three P-256 verifies", min(ours), min(floor_))]
    if not other:
        return (*lines, Line(peer.ABSENT, ""))
    lines.append(time_line("dcap-qvl, the same quotes and collateral", min(other)))
    lines.append(ratio_line("new platform, beside dcap-qvl", min(ours), min(other), Target(0.6)))
    return tuple(lines)


def _time(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return 1e6 * (time.perf_counter() - start)


def cold() -> tuple[Line, ...]:
    """(d) Nothing is remembered: collateral, chains and quote are verified anew in every call."""
    case, quotes = arrange(), quotes_of_one_platform(100)

    def anew(quote: bytes) -> None:
        clear_caches()
        verify(quote, case.grounds)

    empty = interleaved({"clear": clear_caches}, 0.1)["clear"]
    subjects: dict[str, Callable[[], object]] = {"floor": p256_verify(case), "ours": each_in_turn(quotes, anew)}
    if peer.is_here():
        subjects["peer"] = each_in_turn(quotes, peer.verifier(case.simulated))
    found = interleaved(subjects, 4)
    ours = found["ours"] - empty
    lines = [ratio_line("everything cold, beside one P-256 verify", ours, found["floor"])]
    if "peer" not in found:
        return (*lines, Line(peer.ABSENT, ""))
    lines.append(time_line("dcap-qvl, the same quotes and collateral", found["peer"]))
    lines.append(ratio_line("everything cold, beside dcap-qvl", ours, found["peer"]))
    return tuple(lines)
