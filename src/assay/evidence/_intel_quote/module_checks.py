"""The checks of the TDX module: its identity and its TCB (quote-verification 4, step 9, and 5.2 to 5.5)."""

from __future__ import annotations

from typing import Final

from assay.endorsements.intel.tcb_info import ModuleIdentity
from assay.errors import BindingMismatch, TcbRejected
from assay.evidence._intel_quote.platform_case import LoadedModule, PlatformCase
from assay.verdict import NOT_APPLICABLE, Check, Mismatch, Seen, equal


def _module(case: PlatformCase) -> tuple[LoadedModule, ModuleIdentity]:
    """The module that the quote reports and its published identity; these checks are declared for TDX only."""
    module, identity = case.module, case.module_identity
    if module is None or identity is None:
        raise Mismatch("no TDX module in the quote", "a TD report, which names one")
    return module, identity


def _identity(case: PlatformCase) -> Seen:
    module, identity = _module(case)
    return Seen(f"major version {module.tcb_svn[1]}", f"published as {identity.name or 'tdxModule'}")


def _mr_signer(case: PlatformCase) -> Seen:
    module, identity = _module(case)
    return equal(module.mr_signer_seam, identity.mr_signer)


def _attributes(case: PlatformCase) -> Seen:
    module, identity = _module(case)
    # Must be zero today, and what the identity says (step 9).
    if any(module.seam_attributes):
        raise Mismatch(module.seam_attributes, bytes(len(module.seam_attributes)))
    return equal(module.seam_attributes, identity.attributes)


def _level(case: PlatformCase) -> Seen:
    if case.module_level is None:
        return NOT_APPLICABLE
    return Seen(case.module_level, "a published level")


def _current(case: PlatformCase) -> Seen:
    if case.current is None:
        return NOT_APPLICABLE
    # As text: the one evaluation of a verdict is that of `tcb.status`.
    return Seen(str(case.current), "published levels for the module that runs now")


MODULE_CHECKS: Final[tuple[Check[PlatformCase], ...]] = (
    Check(
        "tdx_module.identity",
        "TdxModuleUnknown",
        "quote-verification 4, step 9",
        "load a TDX module that Intel publishes an identity of, or fetch the TCB info again",
        BindingMismatch,
        _identity,
    ),
    Check(
        "tdx_module.mr_signer",
        "TdxModuleSignerMismatch",
        "quote-verification 4, step 9",
        "load the TDX module that Intel signed, and launch the trust domain again",
        BindingMismatch,
        _mr_signer,
    ),
    Check(
        "tdx_module.attributes",
        "TdxModuleAttributesMismatch",
        "quote-verification 4, step 9",
        "load a production TDX module, and launch the trust domain again",
        BindingMismatch,
        _attributes,
    ),
)
MODULE_TCB_CHECKS: Final[tuple[Check[PlatformCase], ...]] = (
    Check(
        "tcb.module_level",
        "TdxModuleTcbNotSupported",
        "quote-verification 5.2",
        "the TDX module is below every level that Intel publishes: update it and launch the trust domain again",
        TcbRejected,
        _level,
    ),
    Check(
        "tcb.current_level",
        "CurrentTcbNotSupported",
        "quote-verification 5.5",
        "the TDX module that runs now is below every level that Intel publishes: update the platform",
        TcbRejected,
        _current,
    ),
)
