"""`assay simulate`: synthetic evidence, for development only."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypedDict, Unpack

import click

from assay import clock
from assay.cli.arguments import EVIDENCE_TYPE, TIME
from assay.cli.files import read_option_file
from assay.cli.terminal import Span, note, say, show_table
from assay.evidence.open_enclave import OPEN_ENCLAVE
from assay.evidence.sgx_enclave import SGX_ENCLAVE
from assay.simulator import KNOBS, VARIANTS, Enclave, Knob, Recipe, ReportForm, find_knob
from assay.simulator import simulate as mint

if TYPE_CHECKING:
    from datetime import datetime

    from assay.evidence.base import AnyEvidenceType
    from assay.simulator import Simulated

_HELP: Final = """Make synthetic evidence with its collateral, without any hardware. For development only.

Its root key is public knowledge, so production refuses it by key: verify it with --unsafe-simulator, or send it to
a service that runs with --dev. DIR receives the evidence, the held data, and `collateral`.

A knob turns one thing of the good evidence into an attack (or an unusual but good variant); --list-knobs shows all.

\b
Examples:
  assay simulate SgxEnclave --out demo
  assay simulate SgxEnclave --out demo --runtime-data key.json --svn 7 --debug
  assay simulate OpenEnclave --out bad --knob pck-revoked
  assay simulate SgxEnclave --list-knobs
"""
# What stands around the quote, by evidence type.
_ENVELOPES: Final = {SGX_ENCLAVE.name: None, OPEN_ENCLAVE.name: ReportForm()}
_DEBUG: Final = 1 << 1


class Octets(click.ParamType[bytes]):
    """Hex digits for an exact number of octets."""

    name = "hex"

    def __init__(self, size: int) -> None:
        self._size = size

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> bytes:
        try:
            octets = bytes.fromhex(str(value))
        except ValueError:
            octets = b""
        if len(octets) != self._size:
            self.fail(f"{2 * self._size} hex digits are needed", param, ctx)
        return octets


class _Options(TypedDict):
    """What click reads for `simulate`."""

    kind: AnyEvidenceType
    out: str | None
    runtime_data: str | None
    at: datetime | None
    knob: tuple[str, ...]
    list_knobs: bool
    mr_enclave: bytes | None
    mr_signer: bytes | None
    product_id: int | None
    svn: int | None
    debug: bool
    report_data: bytes | None


_U16: Final = click.IntRange(0, 0xFFFF)


@click.command(help=_HELP)
@click.argument("kind", metavar="TYPE", type=EVIDENCE_TYPE)
@click.option("--out", metavar="DIR", help="Where the files go; made when it is missing.")
@click.option("--runtime-data", metavar="F", help="Data whose hash the evidence is to hold.")
@click.option("--at", type=TIME, help="Make everything for this time (ISO 8601 or Unix time); now, when left out.")
@click.option("--knob", metavar="NAME", multiple=True, help="Change one thing, by name; several add up.")
@click.option("--list-knobs", is_flag=True, help="Show the knobs and what must refuse them.")
@click.option("--mr-enclave", type=Octets(32), help="Measurement of the enclave.")
@click.option("--mr-signer", type=Octets(32), help="Measurement of its signer.")
@click.option("--product-id", type=_U16, help="Product id.")
@click.option("--svn", type=_U16, help="Security version number.")
@click.option("--debug", is_flag=True, help="A debug enclave.")
@click.option("--report-data", type=Octets(64), help="Report data, where no runtime data is bound.")
def simulate(**options: Unpack[_Options]) -> None:
    if options["list_knobs"]:
        _list_knobs()
        return
    if options["out"] is None:
        raise click.UsageError("--out DIR is needed")
    out = Path(options["out"])
    made = _mint(options)
    out.mkdir(parents=True, exist_ok=True)
    made.write(out)
    _teach(options, out, made)


def _mint(options: _Options) -> Simulated:
    kind, file = options["kind"], options["runtime_data"]
    if kind.name not in _ENVELOPES:
        raise click.UsageError(f"the simulator does not make {kind.name} evidence")
    recipe = Recipe(
        # Documents are dated in whole seconds.
        (options["at"] or clock.now()).replace(microsecond=0),
        runtime_data=None if file is None else read_option_file(file),
        enclave=_enclave(options),
        envelope=_ENVELOPES[kind.name],
    )
    for name in options["knob"]:
        recipe = find_knob(name).turn(recipe)
    return mint(recipe)


def _enclave(options: _Options) -> Enclave:
    enclave = Enclave()
    flags = enclave.flags | _DEBUG if options["debug"] else enclave.flags
    return replace(
        enclave,
        flags=flags,
        mr_enclave=options["mr_enclave"] or enclave.mr_enclave,
        mr_signer=options["mr_signer"] or enclave.mr_signer,
        isv_prod_id=enclave.isv_prod_id if options["product_id"] is None else options["product_id"],
        isv_svn=enclave.isv_svn if options["svn"] is None else options["svn"],
        report_data=options["report_data"] or enclave.report_data,
    )


def _list_knobs() -> None:
    rows = [(Span(knob.name, "strong"), Span(_trips(knob)), Span(knob.description)) for knob in (*KNOBS, *VARIANTS)]
    show_table(("KNOB", "REFUSED BY", "CHANGES"), rows)


def _trips(knob: Knob) -> str:
    """What refuses the knob; some only under a rule of the operator, or of other verifiers."""
    return knob.trips if knob.rule is None else f"{knob.trips}, under a rule: {knob.rule}"


def _teach(options: _Options, out: Path, made: Simulated) -> None:
    held = f" --runtime-data {out / 'runtime_data.bin'}" if made.runtime_data is not None else ""
    say(f"{out / made.file_name}")
    note("synthetic: production refuses it. Try next:")
    # A knob may stand on the edge of a window: the instant is part of it.
    fixed = options["at"] is not None or bool(options["knob"])
    at = f" --at {made.at:%Y-%m-%dT%H:%M:%SZ}" if fixed else ""
    strict = " --strict" if any(find_knob(knob).rule for knob in options["knob"]) else ""
    name = SGX_ENCLAVE.name if made.file_name == "quote.bin" else OPEN_ENCLAVE.name
    evidence = out / made.file_name
    verify = f"assay verify {evidence} --type {name} --endorsements {out / 'collateral'} --unsafe-simulator"
    note(f"  {verify}{held}{at}{strict}")
    note(f"  assay inspect {evidence}")
    if not fixed:
        note(f"  assay serve --dev --state-dir .assay --collateral {out / 'collateral'}")
        note(f"  assay attest {name} {evidence} --url https://localhost:8443 --ca .assay/dev/ca.pem{held}")
