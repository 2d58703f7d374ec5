"""The checks of boots: which PCRs are quoted, what the logs replay to, which cold boot a resumed machine comes from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final, NamedTuple

from assay.errors import BindingMismatch, RuleViolated
from assay.evidence._tcg.ima_replay import seen_ima
from assay.evidence._tcg.quote_checks import QuoteCase, quote_checks
from assay.evidence._tcg.replay import seen_replay
from assay.evidence.tpm.attestation import TpmAttestation
from assay.evidence.tpm.request import TpmRequest
from assay.evidence.tpm.session import qualifying_data
from assay.verdict import NOT_APPLICABLE, Check, Mismatch, Seen


class BootCase(NamedTuple):
    """A request and the PCRs that its policy requires."""

    request: TpmRequest
    required_pcrs: tuple[int, ...]


def _quote_case(attestation: TpmAttestation, nonce: bytes | None) -> QuoteCase:
    return QuoteCase(attestation.quote, attestation.signature, attestation.key.key, attestation.banks, nonce)


def _of_current(check: Check[QuoteCase]) -> Check[BootCase]:
    return _lifted(check, lambda case: _quote_case(case.request.current, qualifying_data(case.request)))


def _of_boot(check: Check[QuoteCase]) -> Check[BootCase]:
    """The quote of the cold boot is over nothing of this session (tpm-and-guest 1.2)."""
    return _lifted(check, lambda case: None if case.request.boot is None else _quote_case(case.request.boot, None))


def _lifted(check: Check[QuoteCase], narrow: Callable[[BootCase], QuoteCase | None]) -> Check[BootCase]:
    def test(case: BootCase) -> Seen:
        narrowed = narrow(case)
        return NOT_APPLICABLE if narrowed is None else check.test(narrowed)

    return Check(check.name, check.code, check.reference, check.remedy, check.failure, test)


def _pcrs(case: BootCase) -> Seen:
    """One strong bank has every required PCR (attack cases TPM-03, TPM-17)."""
    wanted = set(case.required_pcrs)
    chosen = [set(one.indices) for one in case.request.current.quote.selections if one.algorithm.is_strong]
    if not any(wanted <= indices for indices in chosen):
        quoted = max(chosen, key=len, default=set())
        raise Mismatch(tuple(sorted(quoted)), case.required_pcrs)
    return Seen("all of them", case.required_pcrs)


def _log(case: BootCase) -> Seen:
    return _replayed(case.request.current)


def _replayed(attestation: TpmAttestation) -> Seen:
    banks = attestation.banks.values()
    if attestation.ima is None:
        return seen_replay(attestation.log, banks)
    return seen_ima(attestation.log, attestation.ima, banks)


def _boot_key(case: BootCase) -> Seen:
    boot = case.request.boot
    if boot is None:
        return NOT_APPLICABLE
    if boot.key.key.public_numbers() != case.request.current.key.key.public_numbers():
        raise Mismatch("another attestation key", _SAME_KEY)
    return Seen(_SAME_KEY, _SAME_KEY)


_SAME_KEY: Final = "the attestation key of the current quote"


def _cycle(case: BootCase) -> Seen:
    """Resets count cold boots and restarts count resumes: neither may have gone back (attack case TPM-21)."""
    if case.request.boot is None:
        return NOT_APPLICABLE
    boot, now = case.request.boot.quote.header, case.request.current.quote.header
    if boot.reset_count != now.reset_count or boot.restart_count > now.restart_count:
        seen = f"reset {boot.reset_count}, restart {boot.restart_count}"
        raise Mismatch(seen, f"reset {now.reset_count}, restart at most {now.restart_count}")
    return Seen(f"reset {boot.reset_count}", "the same cold boot")


def _boot_log(case: BootCase) -> Seen:
    return NOT_APPLICABLE if case.request.boot is None else _replayed(case.request.boot)


_PCRS_CHECK: Final = Check(
    "quote.pcrs",
    "RequiredPcrNotQuoted",
    "policy-language 9, required_pcr_mask; attack cases TPM-03, TPM-17",
    "quote every PCR that the policy requires in one bank of SHA-256 or better, or let the policy require fewer",
    RuleViolated,
    _pcrs,
)
_LOG_CHECK: Final = Check(
    "log.replay",
    "LogReplayMismatch",
    "tpm-and-guest 1.5, step 9, and 6; attack case TPM-18",
    "send the whole log of this boot: every quoted PCR must come out of it, those without events at their first value",
    BindingMismatch,
    _log,
)
_BOOT_KEY_CHECK: Final = Check(
    "boot.key",
    "BootKeyMismatch",
    "tpm-and-guest 1.5, step 10",
    "quote the cold boot and the current state with one attestation key",
    BindingMismatch,
    _boot_key,
)
_CYCLE_CHECK: Final = Check(
    "boot.cycle",
    "BootCycleMismatch",
    "tpm-and-guest 1.5, step 10; attack case TPM-21",
    "send the attestation of the cold boot that this machine was resumed from",
    BindingMismatch,
    _cycle,
)

BOOT_CHECKS: Final[tuple[Check[BootCase], ...]] = (
    *map(_of_current, quote_checks("quote")),
    _PCRS_CHECK,
    _LOG_CHECK,
    _BOOT_KEY_CHECK,
    # Over nothing of this session: no nonce is looked at.
    *(_of_boot(check) for check in quote_checks("boot_quote") if check.name != "boot_quote.nonce"),
    _CYCLE_CHECK,
    replace(_LOG_CHECK, name="boot_log.replay", test=_boot_log),
)
