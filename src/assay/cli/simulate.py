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
from assay.evidence.azure_guest import AZURE_GUEST
from assay.evidence.open_enclave import OPEN_ENCLAVE
from assay.evidence.sev_snp_vm import SEV_SNP_VM
from assay.evidence.sgx_enclave import SGX_ENCLAVE
from assay.evidence.tdx_vm import TDX_VM
from assay.simulator import (
    KNOBS,
    SNP_KNOBS,
    SNP_VARIANTS,
    TDX_KNOBS,
    TDX_VARIANTS,
    VARIANTS,
    Enclave,
    Knob,
    Recipe,
    ReportForm,
    Simulated,
    SnpKnob,
    SnpRecipe,
    SnpReport,
    TrustDomain,
    find_knob,
    find_snp_knob,
    simulate_snp,
    tdx_recipe,
)
from assay.simulator import simulate as mint
from assay.simulator.azure_guest import ISOLATIONS, simulate_guest

if TYPE_CHECKING:
    from datetime import datetime

    from assay.evidence.base import AnyEvidenceType
    from assay.simulator import SimulatedSnp
    from assay.simulator.azure_guest import IsolationType

_HELP: Final = """Make synthetic evidence with its collateral, without any hardware. For development only.

Its root key is public knowledge, so production refuses it by key: verify it with --unsafe-simulator, or send it to
a service that runs with --dev. DIR receives the evidence, the held data, and `collateral`.

A knob turns one thing of the good evidence into an attack (or an unusual but good variant); --list-knobs shows all.

\b
Examples:
  assay simulate SgxEnclave --out demo
  assay simulate SgxEnclave --out demo --runtime-data key.json --svn 7 --debug
  assay simulate OpenEnclave --out bad --knob pck-revoked
  assay simulate TdxVm --out domain --knob td-1.5
  assay simulate AzureGuest --out guest --isolation Tdx --windows
  assay simulate SevSnpVm --out guest --knob snp-version-5
  assay simulate SgxEnclave --list-knobs
"""
# What stands around the quote, by evidence type.
_ENVELOPES: Final = {SGX_ENCLAVE.name: None, OPEN_ENCLAVE.name: ReportForm()}
_DEBUG: Final = 1 << 1
_TD_DEBUG: Final = 1 << 0
_GUEST_DEBUG: Final = 1 << 19


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
    mr_td: bytes | None
    isolation: IsolationType | None
    windows: bool
    measurement: bytes | None


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
@click.option("--mr-td", type=Octets(48), help="Measurement of the trust domain.")
@click.option("--measurement", type=Octets(48), help="Measurement of the SEV-SNP guest.")
@click.option("--debug", is_flag=True, help="A debug enclave, trust domain or guest.")
@click.option(
    "--isolation", type=click.Choice(ISOLATIONS, case_sensitive=False), help="What isolates a guest: TrustedLaunch."
)
@click.option("--windows", is_flag=True, help="A guest that runs Windows, not Linux.")
@click.option("--report-data", type=Octets(64), help="Report data, where no runtime data is bound.")
def simulate(**options: Unpack[_Options]) -> None:
    if options["list_knobs"]:
        _list_knobs()
        return
    if options["out"] is None:
        raise click.UsageError("--out DIR is needed")
    out = Path(options["out"])
    if options["kind"].name == AZURE_GUEST.name:
        _simulate_guest(options, out)
        return
    made = _mint(options)
    out.mkdir(parents=True, exist_ok=True)
    made.write(out)
    _teach(options, out, made)


def _mint(options: _Options) -> Simulated | SimulatedSnp:
    kind, file = options["kind"], options["runtime_data"]
    # Documents are dated in whole seconds.
    at = (options["at"] or clock.now()).replace(microsecond=0)
    held = None if file is None else read_option_file(file)
    _refuse_foreign(options)
    if kind.name == SEV_SNP_VM.name:
        return _mint_snp(options, SnpRecipe(at, held, report=_report(options)))
    if kind.name == TDX_VM.name:
        recipe = tdx_recipe(at, held, domain=_domain(options))
    elif kind.name in _ENVELOPES:
        recipe = Recipe(at, held, enclave=_enclave(options), envelope=_ENVELOPES[kind.name])
    else:
        raise click.UsageError(f"the simulator does not make {kind.name} evidence")
    for name in options["knob"]:
        recipe = find_knob(name).turn(recipe)
    return mint(recipe)


def _simulate_guest(options: _Options, out: Path) -> None:
    """A guest of Azure: its request, the key that opens the answer, the collateral of its hardware."""
    _refuse_foreign(options)
    at = (options["at"] or clock.now()).replace(microsecond=0)
    made = simulate_guest(at, options["isolation"] or "TrustedLaunch", windows=options["windows"])
    out.mkdir(parents=True, exist_ok=True)
    made.write(out)
    file = out / made.file_name
    say(f"{file}")
    note("synthetic: production refuses it. Try next:")
    fixed = f" --at {at:%Y-%m-%dT%H:%M:%SZ}" if options["at"] is not None else ""
    endorsements = f" --endorsements {out / 'collateral'}" if made.collateral is not None else ""
    note(f"  assay verify {file} --type {AZURE_GUEST.name}{endorsements} --unsafe-simulator{fixed}")
    note(f"  assay inspect {file}")
    if not fixed:
        served = f" --collateral {out / 'collateral'}" if made.collateral is not None else ""
        note(f"  assay serve --dev --state-dir .assay{served}")
        key = f"--guest-key {out / made.key_name}"
        note(f"  assay attest {AZURE_GUEST.name} {file} --url https://localhost:8443 --ca .assay/dev/ca.pem {key}")


def _mint_snp(options: _Options, recipe: SnpRecipe) -> SimulatedSnp:
    for name in options["knob"]:
        recipe = find_snp_knob(name).turn(recipe)
    return simulate_snp(recipe)


def _report(options: _Options) -> SnpReport:
    report = SnpReport()
    return replace(
        report,
        policy=report.policy | _GUEST_DEBUG if options["debug"] else report.policy,
        measurement=options["measurement"] or report.measurement,
        report_data=options["report_data"] or report.report_data,
    )


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


def _refuse_foreign(options: _Options) -> None:
    """An option that the evidence has no field for is a mistake, not to be passed over."""
    enclaves = (options["mr_enclave"], options["mr_signer"], options["product_id"], options["svn"])
    is_enclave = options["kind"].name in _ENVELOPES
    if not is_enclave and any(value is not None for value in enclaves):
        raise click.UsageError("--mr-enclave, --mr-signer, --product-id and --svn are fields of enclaves")
    if options["kind"].name != TDX_VM.name and options["mr_td"] is not None:
        raise click.UsageError("--mr-td is a field of trust domains")
    is_guest = options["kind"].name == AZURE_GUEST.name
    if not is_guest and (options["isolation"] is not None or options["windows"]):
        raise click.UsageError("--isolation and --windows are of guests")
    others = (*enclaves, options["report_data"], options["runtime_data"], options["debug"] or None)
    if is_guest and (options["knob"] or any(value is not None for value in others)):
        raise click.UsageError("a guest's hardware report and measurements are not chosen here: --isolation, --windows")
    if options["kind"].name != SEV_SNP_VM.name and options["measurement"] is not None:
        raise click.UsageError("--measurement is a field of SEV-SNP guests")


def _domain(options: _Options) -> TrustDomain:
    domain = TrustDomain()
    return replace(
        domain,
        attributes=domain.attributes | _TD_DEBUG if options["debug"] else domain.attributes,
        mr_td=options["mr_td"] or domain.mr_td,
        report_data=options["report_data"] or domain.report_data,
    )


def _find(options: _Options, name: str) -> Knob | SnpKnob:
    return find_snp_knob(name) if options["kind"].name == SEV_SNP_VM.name else find_knob(name)


def _list_knobs() -> None:
    knobs: tuple[Knob | SnpKnob, ...] = (*KNOBS, *VARIANTS, *TDX_KNOBS, *TDX_VARIANTS, *SNP_KNOBS, *SNP_VARIANTS)
    rows = [(Span(knob.name, "strong"), Span(_trips(knob)), Span(knob.description)) for knob in knobs]
    show_table(("KNOB", "REFUSED BY", "CHANGES"), rows)


def _trips(knob: Knob | SnpKnob) -> str:
    """What refuses the knob; some only under a rule of the operator, or of other verifiers."""
    return f"{knob.trips}, under a rule: {knob.rule}" if knob.rule else knob.trips


def _teach(options: _Options, out: Path, made: Simulated | SimulatedSnp) -> None:
    held = f" --runtime-data {out / 'runtime_data.bin'}" if made.runtime_data is not None else ""
    if isinstance(made, Simulated) and made.event_log is not None:
        held += f" --event-log {out / 'event_log.bin'}"
    say(f"{out / made.file_name}")
    note("synthetic: production refuses it. Try next:")
    # A knob may stand on the edge of a window: the instant is part of it.
    fixed = options["at"] is not None or bool(options["knob"])
    at = f" --at {made.at:%Y-%m-%dT%H:%M:%SZ}" if fixed else ""
    strict = " --strict" if any(_find(options, knob).rule for knob in options["knob"]) else ""
    name = made.type_name
    evidence = out / made.file_name
    verify = f"assay verify {evidence} --type {name} --endorsements {out / 'collateral'} --unsafe-simulator"
    note(f"  {verify}{held}{at}{strict}")
    note(f"  assay inspect {evidence}")
    if not fixed:
        note(f"  assay serve --dev --state-dir .assay --collateral {out / 'collateral'}")
        note(f"  assay attest {name} {evidence} --url https://localhost:8443 --ca .assay/dev/ca.pem{held}")
