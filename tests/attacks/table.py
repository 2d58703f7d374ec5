"""Which check must refuse which negative, written from the attack cases and quote-verification 4.

`ALWAYS` are refused whatever the rules, `UNDER_A_RULE` only under the rule named, `BY_STATUS` unless the operator
accepts the status. `ACCEPTED` are negatives of other verifiers that a decided reading here accepts.
"""

from __future__ import annotations

from assay.evidence.base import PlatformRules

# Quote: cases QV-09 and QV-13 to QV-16, QV-24, QV-29.
_FORM = (
    "version-2",
    "version-4-in-the-form-of-3",
    "tee-type-tdx",
    "key-type-p384",
    "key-type-unknown",
    *(f"certification-type-{number}" for number in (0, 1, 2, 3, 4, 6, 7, 255)),
    "signature-data-length-short",
    "signature-data-length-long",
    "signature-data-length-greatest",
    "authentication-length-overflow",
    "certification-length-overflow",
    "certification-length-short",
    "cut",
    "chain-empty",
    "chain-not-pem",
    "chain-of-eleven",
)
_QUOTE_SIGNATURE = (
    "quote-signed-by-another-key",
    "signature-zero",
    "signature-r-zero",
    "signature-s-zero",
    "signature-r-order",
    "signature-s-order",
    "signature-garbage",
)
# Chain: cases QV-10 to QV-12.
_CHAIN = {
    "pck_chain.root": ("forged-pki", "forged-pki-same-identifiers", "forged-chain-genuine-collateral"),
    # Exactly one leaf, one authority, one root: anything added is refused before it is looked at.
    "pck_chain.form": (
        "forged-chain-with-genuine-root",
        "chain-duplicate-leaf",
        "chain-with-stranger",
        "chain-without-authority",
        "pck-issued-by-another-leaf",
        "authority-inserted",
        "pck-name-other",
    ),
    "pck_chain.signature": ("pck-signed-by-another-key", "pck-ca-signed-by-another-key"),
    "pck_chain.profile": (
        "pck-ca-not-an-authority",
        "pck-ca-wrong-key-usage",
        "pck-wrong-key-usage",
        "root-path-length-zero",
        "pck-unknown-critical-extension",
        "pck-ca-unknown-critical-extension",
    ),
    "pck_certificate.extension": ("sgx-extension-malformed",),
    "pck_chain.validity": ("pck-expired", "pck-not-yet-valid", "pck-ca-expired", "root-expired"),
}
# Quoting enclave: cases QV-01 to QV-08.
_QUOTING_ENCLAVE = {
    "qe_report.signature": ("qe-report-signed-by-another-key", "qe-report-signature-zero"),
    "qe_report.binding": ("attestation-key-not-bound", "attestation-key-not-bound-zero", "qe-binding-tail"),
    "qe.mr_signer": ("qe-signer-other",),
    "qe.isv_prod_id": ("qe-product-other",),
    "qe.misc_select": ("qe-misc-select-other", "qe-misc-select-mask-ignored"),
    "qe.attributes": ("qe-attributes-other", "qe-attributes-mask-ignored"),
    "qe_identity.tee": ("qe-identity-of-td-qe", "qe-identity-of-qve"),
    "qe_identity.signature": (
        "qe-identity-signed-by-another-key",
        "qe-identity-signature-zero",
        "qe-identity-signer-swapped",
        "qe-identity-reserialised",
    ),
    # Without a signature the document is not a signed document at all (quote-verification 3.2 and 3.4).
    "qe_identity.form": ("qe-identity-unsigned", "qe-status-unknown"),
    "tcb.qe_level": ("qe-svn-below-every-level",),
}
# Collateral: cases CO-01 to CO-05, CO-13 to CO-15, CO-17, QV-15.
_COLLATERAL = {
    "tcb_info.signature": (
        "tcb-info-reserialised",
        "tcb-info-reordered",
        "tcb-info-signed-by-another-key",
        "tcb-info-signature-zero",
        "tcb-signing-key-swapped",
    ),
    "tcb_info.form": (
        # The edit makes an undefined TCB type of it, which is refused before the signature is reached (3.1).
        "tcb-info-edited",
        "tcb-info-unsigned",
        "tcb-info-duplicate-member",
        "tcb-info-duplicate-levels",
        "tcb-info-duplicate-by-case",
        "tcb-info-two-bodies",
        "tcb-info-not-a-number",
        "tcb-info-deep",
        "tcb-info-preceded-by-another",
        "status-with-space",
        "status-other-case",
        "status-undefined",
        "status-empty",
        "no-levels-at-all",
    ),
    "tcb_info.platform": ("tcb-info-of-another-fmspc", "tcb-info-of-another-pce"),
    "tcb_info.tee": ("tcb-info-of-tdx",),
    "tcb_info_chain.trust": (
        "tcb-signing-chain-forged",
        "tcb-signing-signed-by-another-key",
        "tcb-info-signed-by-pck-ca",
        "tcb-info-signed-by-pck",
        "tcb-info-signed-by-pck-short-chain",
        "tcb-signing-chain-empty",
        "tcb-signing-wrong-key-usage",
    ),
    "tcb_info.validity": ("tcb-info-expired", "tcb-info-not-yet-valid"),
    "qe_identity.validity": ("qe-identity-expired", "qe-identity-not-yet-valid"),
    "tcb_info_chain.validity": ("tcb-signing-expired",),
    "tcb.level": ("no-level",),
}
# Revocation: cases CO-06 to CO-09, CO-13.
_REVOCATION = {
    "pck_certificate.revocation": ("pck-revoked",),
    "pck_ca.revocation": ("pck-ca-revoked",),
    "tcb_info_chain.revocation": ("tcb-signing-revoked",),
    "pck_crl.issuer": ("pck-crl-of-the-other-ca", "pck-crl-of-the-root"),
    "pck_crl.signature": ("pck-crl-of-a-stranger",),
}
_LIST_DEFECTS = {
    "signature": ("signed-by-another-key", "authority-key-id-other", "bad-signature", "unsigned"),
    "form": ("truncated", "empty", "without-next-update", "unknown-critical-extension"),
    "validity": ("expired", "not-yet-valid"),
}
# Open Enclave: case QV-28.
_ENVELOPE = {
    "evidence.form": (
        "oe-report-version-2",
        "oe-report-local",
        "oe-report-type-unknown",
        "oe-report-size-long",
        "oe-report-size-greatest",
        "oe-report-size-short",
        "oe-report-size-zero",
        "oe-report-of-td-quote",
        "oe-evidence-version-unknown",
        "oe-evidence-format-unknown",
        "oe-evidence-local",
        "oe-evidence-tdx",
        "oe-evidence-size-long",
        "oe-evidence-size-short",
        "oe-claims-version",
        "oe-claims-count-greatest",
        "oe-claims-name-size",
        "oe-claims-cut",
    ),
    "custom_claims.binding": ("oe-claims-not-bound", "oe-claims-appended", "oe-claims-removed"),
}

_GROUPS: tuple[dict[str, tuple[str, ...]], ...] = (
    {"evidence.form": _FORM, "quote.signature": _QUOTE_SIGNATURE},
    {"quote.vendor_id": ("vendor-id-unknown",), "attestation_key.point": ("attestation-key-off-curve",)},
    {"runtime_data.binding": ("runtime-data-other", "runtime-data-31-bytes")},
    _CHAIN,
    _QUOTING_ENCLAVE,
    _COLLATERAL,
    _REVOCATION,
    {
        f"{document}.{check}": tuple(f"{prefix}-{defect}" for defect in defects)
        for document, prefix in (("pck_crl", "pck-crl"), ("root_crl", "root-crl"))
        for check, defects in _LIST_DEFECTS.items()
    },
    _ENVELOPE,
)

ALWAYS = {knob: check for group in _GROUPS for check, knobs in group.items() for knob in knobs}

_STRICT = PlatformRules(strict=True)
UNDER_A_RULE = {
    "trailing-bytes": ("quote.trailing", _STRICT),
    "debug": ("enclave.debug", PlatformRules(allow_debug=False)),
    "provision-key": ("enclave.attributes", _STRICT),
    "einit-token-key": ("enclave.attributes", _STRICT),
    "not-mode-64": ("enclave.attributes", _STRICT),
    "not-initialised": ("enclave.attributes", _STRICT),
}

# Cases QV-06, CO-16, CO-19, CO-20: the status that the vendor's algorithm gives (quote-verification 5.1 to 5.4).
BY_STATUS = {
    "qe-out-of-date": "OutOfDate",
    "qe-revoked-level": "Revoked",
    "platform-out-of-date": "OutOfDate",
    "platform-out-of-date-configuration-needed": "OutOfDateConfigurationNeeded",
    "platform-revoked": "Revoked",
    "pce-svn-short": "OutOfDateConfigurationNeeded",
    "component-1-short": "OutOfDate",
    "component-2-short": "OutOfDate",
    "component-8-short": "OutOfDate",
    "component-16-short": "OutOfDate",
    "qe-out-of-date-hardening": "OutOfDate",
    "qe-out-of-date-configuration": "OutOfDateConfigurationNeeded",
    "qe-out-of-date-configuration-and-hardening": "OutOfDateConfigurationNeeded",
}

# A genuine quote carries leaf, root, authority: certificates are told apart by name, not by place (4, step 2).
ACCEPTED = ("chain-shuffled",)
