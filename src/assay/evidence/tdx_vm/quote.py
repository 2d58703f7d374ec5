"""The TDX ECDSA quote, versions 4 and 5 (quote-verification 1.2 to 1.4)."""

from __future__ import annotations

from typing import Final, NamedTuple

from assay.errors import MalformedEvidence
from assay.evidence._intel_quote.certification import CertificationBlock
from assay.evidence._intel_quote.header import TEE_TDX, QuoteHeader
from assay.evidence._intel_quote.platform_case import LoadedModule
from assay.evidence._intel_quote.quote import TD_1_0, TD_1_5_EX, BodyForm, Expected, SignedQuote, parse_signed_quote
from assay.evidence._tcg.event_log import EventLog, parse_cc_event_log
from assay.evidence.tdx_vm.report import PARTS, TdExtension, TdRelations, TdReport
from assay.formats.reader import Reader

_EXPECTED: Final = Expected("TDX quote", (4, 5), TEE_TDX)


class TdxQuote(NamedTuple):
    """A parsed quote of a trust domain; `signed` are the octets under its signature, `trailing` those after its end.

    `relations` are there from TD report 1.5 on, `extension` in 1.5 Ex. `log` is the CC event log, where one was sent.
    """

    header: QuoteHeader
    form: BodyForm
    report: TdReport
    relations: TdRelations | None
    extension: TdExtension | None
    signed: bytes
    signature: bytes
    block: CertificationBlock
    trailing: bytes
    log: EventLog | None = None

    @property
    def module(self) -> LoadedModule:
        """What the report says of the TDX module."""
        report, relations = self.report, self.relations
        current = None if relations is None else relations.tee_tcb_svn_2
        return LoadedModule(report.tee_tcb_svn, current, report.mr_signer_seam, report.seam_attributes)

    @property
    def service_td(self) -> bytes:
        """The measurements of a bound service TD; all zero when there is none."""
        relations = b"" if self.relations is None else self.relations.mr_service_td
        extension = self.extension
        if extension is None:
            return relations
        return relations + extension.initial_service_td_hash + extension.current_service_td_hash


def parse_tdx_quote(quote: bytes, event_log: bytes | None = None) -> TdxQuote:
    """The quote, and the CC event log beside it; lengths are judged by the quote's own fields.

    Raises `MalformedEvidence`, and `UnsupportedEvidence` with its own code for other versions, key types, TEE types,
    body types and certification data, and for a TDREPORT in the place of a quote.
    """
    parts = parse_signed_quote(quote, _EXPECTED)
    own, more, most = _parse_body(parts)
    return TdxQuote(
        parts.header,
        parts.form,
        own,
        more,
        most,
        parts.signed,
        parts.signature,
        parts.block,
        parts.trailing,
        None if event_log is None else parse_cc_event_log(event_log),
    )


def _parse_body(parts: SignedQuote) -> tuple[TdReport, TdRelations | None, TdExtension | None]:
    """The parts of the report that its form has; its size was judged with the form."""
    report, relations, extension = PARTS
    if parts.form is TD_1_0:
        return TdReport._make(report.unpack(parts.body)), None, None
    reader = Reader(parts.body, parts.form.name, MalformedEvidence)
    own = TdReport._make(reader.structure(report, "TD report"))
    more = TdRelations._make(reader.structure(relations, "TD 1.5 part"))
    most = TdExtension._make(reader.structure(extension, "extended part")) if parts.form is TD_1_5_EX else None
    reader.finish()
    return own, more, most
