"""Which check must refuse which negative of a trust domain, written from the attack cases and quote-verification 4 and 5."""

from __future__ import annotations

from assay.evidence.base import PlatformRules

from .table import ALWAYS as OF_ENCLAVES
from .table import BY_STATUS as STATUS_OF_ENCLAVES

# Negatives of an enclave's evidence that are no change, or have no meaning, for a trust domain's.
NOT_OF_DOMAINS = frozenset(
    {
        "version-4-in-the-form-of-3",
        "tee-type-tdx",
        "tcb-info-of-tdx",
        "qe-identity-of-td-qe",
        "qe-product-other",
    }
)

_FORM = (
    "td-quote-of-sgx",
    "td-version-3",
    "td-version-5-in-the-form-of-4",
    "td-body-type-unknown",
    "td-body-type-of-enclave",
    "td-1.5-with-size-of-1.0",
    "td-body-size-greatest",
    "td-outer-type-5",
    "td-outer-size-short",
    "td-outer-size-long",
    "td-log-cut",
    "td-log-of-a-tpm",
)
_GROUPS: dict[str, tuple[str, ...]] = {
    "evidence.form": _FORM,
    "qe_identity.tee": ("td-qe-identity-of-qe",),
    "tcb_info.tee": ("td-tcb-info-of-sgx", "td-tcb-info-version-2"),
    "tdx_module.identity": ("td-module-unknown", "td-module-identities-absent"),
    "tdx_module.mr_signer": ("td-module-signer-other", "td-module-0-signer-other"),
    "tdx_module.attributes": (
        "td-module-attributes-other",
        "td-module-attributes-published",
        "td-module-attributes-zero",
    ),
    "tcb_info.form": ("td-module-absent", "td-module-identities-twice", "td-module-status-unknown"),
    "tcb.module_level": ("td-module-below-every-level",),
    "tcb.current_level": ("td-current-below-every-level", "td-current-module-unknown"),
    "tcb.level": ("td-component-short", "td-module-0-component-short"),
    "event_log.replay": ("td-log-event-other", "td-log-short", "td-log-empty", "td-log-reordered"),
    "td.untrusted": ("td-reserved-1", "td-reserved-4", "td-reserved-7"),
}
OF_DOMAINS = {knob: check for check, knobs in _GROUPS.items() for knob in knobs}
ALWAYS = {
    **{knob: check for knob, check in OF_ENCLAVES.items() if knob not in NOT_OF_DOMAINS and not knob.startswith("oe-")},
    **OF_DOMAINS,
}

_STRICT = PlatformRules(strict=True)
UNDER_A_RULE = {
    "td-debug": ("td.debug", PlatformRules(allow_debug=False)),
    "td-attribute-unknown": ("td.attributes", _STRICT),
    "td-sept-ve": ("td.sept_ve_disable", PlatformRules(require_sept_ve_disable=True)),
    "td-migratable": ("td.migratable", PlatformRules(allow_migration=False)),
    "td-service-td": ("td.service_td", PlatformRules(allow_service_td=False)),
    "td-service-td-ex": ("td.service_td", PlatformRules(allow_service_td=False)),
    "td-features-unknown": ("td.features", _STRICT),
    "td-features-without-sse": ("td.features", _STRICT),
}

STATUS_OF_DOMAINS = {
    "td-module-out-of-date": "OutOfDate",
    "td-module-revoked": "Revoked",
    "td-module-out-of-date-configuration": "OutOfDateConfigurationNeeded",
    "td-relaunch": "TDRelaunchAdvised",
    "td-relaunch-configuration": "TDRelaunchAdvisedConfigurationNeeded",
    "td-current-out-of-date-too": "OutOfDate",
}
BY_STATUS = {**STATUS_OF_ENCLAVES, **STATUS_OF_DOMAINS}
