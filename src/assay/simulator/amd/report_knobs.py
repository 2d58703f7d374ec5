"""Knobs of the report itself, and variants of good evidence."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from assay.simulator import der
from assay.simulator.amd.chip import TCB
from assay.simulator.amd.knob import STRANGER, SnpKnob, beyond, knob, numbers, on_chip, on_extension, on_report
from assay.simulator.amd.report import edited
from assay.simulator.amd.signing import P384_ORDER

_FORM: Final[tuple[SnpKnob, ...]] = (
    knob("version-1", "report version 1", ("evidence.form", "SNP-13"), on_report(version=1)),
    knob("version-6", "an unknown newer version", ("evidence.form", "SNP-13"), on_report(version=6)),
    knob("algorithm-2", "another signature algorithm", ("evidence.form", "SNP-12"), on_report(signature_algorithm=2)),
    knob("signing-key-none", "signed by no key", ("evidence.form", "SNP-04"), on_report(key_info=7 << 2)),
    knob(
        "policy-bit-17",
        "the policy bit that must be one is zero",
        ("evidence.form", "SNP-14"),
        on_report(policy=0x1001F),
    ),
    knob("policy-reserved", "a reserved policy bit", ("evidence.form", "SNP-14"), on_report(policy=0x3001F | 1 << 26)),
    knob(
        "reserved-signed",
        "a reserved field under the signature",
        ("evidence.form", "SNP-14"),
        on_report(edit=edited(0x208, b"\x01")),
    ),
    knob(
        "reserved-unsigned",
        "a reserved field after the signature",
        ("evidence.form", "SNP-14"),
        on_report(edit_signed=edited(0x330, b"\x01")),
    ),
    knob(
        "signature-too-long",
        "high octets of r are set",
        ("evidence.form", "SNP-12"),
        on_report(edit_signed=edited(0x2A0 + 48, b"\x01")),
    ),
    knob(
        "cut",
        "the last octet is missing",
        ("evidence.form", "IN-01"),
        on_report(edit_signed=lambda report: report[:-1]),
    ),
    knob(
        "processor-unknown",
        "a processor that is not known",
        ("evidence.form", "SNP-03"),
        on_chip(lambda chip: replace(chip, cpuid=(0x1B, 0, 0))),
    ),
)
_SIGNATURE: Final = (
    knob(
        "signed-by-another-key", "signed by another key", ("report.signature", "SNP-12"), on_report(signed_by=STRANGER)
    ),
    knob(
        "measurement-flipped",
        "the measurement changed after signing",
        ("report.signature", "SNP-20"),
        on_report(edit_signed=edited(0x90, bytes(48))),
    ),
    knob(
        "debug-set",
        "the debug bit set after signing",
        ("report.signature", "SNP-15"),
        on_report(edit_signed=edited(0x0A, b"\x0b")),
    ),
    knob("signature-zero", "r and s are zero", ("report.signature", "SNP-12"), on_report(signature=numbers(0, 0))),
    knob("r-zero", "r is zero", ("report.signature", "SNP-12"), on_report(signature=numbers(0, 1))),
    knob(
        "r-order",
        "r is the order of the curve",
        ("report.signature", "SNP-12"),
        on_report(signature=numbers(P384_ORDER, 1)),
    ),
    knob(
        "s-order",
        "s is the order of the curve",
        ("report.signature", "SNP-12"),
        on_report(signature=numbers(1, P384_ORDER)),
    ),
)
_TCB: Final = (
    *(
        knob(
            f"tcb-{name.replace('_', '-')}",
            f"another {name} than the certificate's",
            ("report.tcb", "SNP-08"),
            on_report(reported=beyond(name), current=beyond(name)),
        )
        for name in ("boot_loader", "tee", "snp", "microcode")
    ),
    knob(
        "chip-of-another",
        "the identifier of another chip",
        ("report.chip_id", "SNP-06"),
        on_report(chip_id=bytes(range(64))),
    ),
    knob("chip-masked", "a masked chip under a VCEK", ("report.chip_id", "SNP-18"), on_report(chip_id=bytes(64))),
    knob(
        "committed-beyond",
        "committed beyond current",
        ("report.tcb_order", "SNP-09"),
        on_report(committed=beyond("snp")),
    ),
    knob(
        "launch-beyond",
        "launched beyond current",
        ("report.tcb_order", "SNP-09"),
        on_report(launch=beyond("microcode")),
    ),
    knob(
        "reported-beyond",
        "reported beyond current",
        ("report.tcb_order", "SNP-09"),
        on_report(
            current=replace(TCB, snp=TCB.snp - 1),
            committed=replace(TCB, snp=TCB.snp - 1),
            launch=replace(TCB, snp=TCB.snp - 1),
        ),
    ),
)
_HELD: Final = (
    knob(
        "runtime-data-other",
        "other runtime data than was bound",
        ("runtime_data.binding", "SNP-20"),
        lambda recipe: replace(recipe, submitted_runtime_data=b'{"another":1}'),
    ),
)
_RULES: Final = (
    knob(
        "debug",
        "a guest policy that allows debugging",
        ("report.debug", "SNP-15"),
        on_report(policy=0x3001F | 1 << 19),
        "allow_debug",
    ),
    knob(
        "migration",
        "a guest policy that allows a migration agent",
        ("report.migration", "SNP-16"),
        on_report(policy=0x3001F | 1 << 18),
        "allow_migration",
    ),
    knob("vmpl-1", "a report of a less privileged level", ("report.vmpl", "SNP-17"), on_report(vmpl=1), "highest_vmpl"),
)

REPORT_KNOBS: Final = (*_FORM, *_SIGNATURE, *_TCB, *_HELD, *_RULES)
VARIANTS: Final[tuple[SnpKnob, ...]] = (
    knob("version-2", "report version 2, without CPUID", ("", "OK-05"), on_report(version=2)),
    knob("version-5", "report version 5", ("", "OK-05"), on_report(version=5)),
    knob(
        "vlek-masked",
        "a VLEK and a masked chip",
        ("", "OK-06"),
        lambda recipe: on_report(chip_id=bytes(64))(on_chip(lambda chip: replace(chip, vlek=True))(recipe)),
    ),
    knob(
        "current-beyond",
        "provisional firmware: current beyond the rest",
        ("", "OK-07"),
        on_report(current=beyond("snp")),
    ),
    knob(
        "chain-shuffled",
        "the certificates in another order",
        ("", "OK-05"),
        lambda recipe: replace(recipe, certificates=lambda chain: chain[::-1]),
    ),
    knob(
        "beside", "the certificates beside the report", ("", "OK-05"), lambda recipe: replace(recipe, enveloped=False)
    ),
    knob(
        "hwid-wrapped",
        "a chip's identifier in an OCTET STRING",
        ("", "OK-05"),
        lambda recipe: on_extension("4", der.octet_string(recipe.chip.hardware_id))(recipe),
    ),
)
