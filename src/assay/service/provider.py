"""Providers (tenants): what a request meets under one base URL, held in memory and replaced as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from assay.errors import AssayError, InvalidOperation, StoreUnavailable
from assay.evidence import POLICY_TYPES
from assay.evidence.base import PlatformRules, Profile
from assay.policy import AppraisalPolicy, draft_policy, stored_policy
from assay.policy.signed import parse_management_jws, policy_text, verify_management_jws
from assay.result.token import Signer
from assay.store import PolicySigner, PolicyVersion, ProviderSettings, TrustModel


@dataclass(frozen=True, slots=True)
class PolicyInForce:
    """The policy of one type: as it is evaluated, and the version that was set, None where it is the type's default.

    `damaged` says why a stored policy cannot be used: it was changed behind the service's back (rest-api 8.1).
    """

    appraisal: AppraisalPolicy | None
    version: PolicyVersion | None
    damaged: str = ""


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider: its base URL (also `iss`), its signer, its policies by type, its published documents encoded."""

    name: str
    base_url: str
    settings: ProviderSettings
    rules: PlatformRules
    token_lifetime: timedelta
    signer: Signer
    report_signer: Signer
    report_lifetime: timedelta
    policies: Mapping[str, PolicyInForce]
    policy_signers: tuple[PolicySigner, ...]
    key_set: bytes
    discovery: bytes

    @property
    def is_isolated(self) -> bool:
        return self.settings.trust_model is TrustModel.ISOLATED

    @property
    def is_shared(self) -> bool:
        return self.settings.trust_model is TrustModel.SHARED

    def signer_of(self, profile: Profile) -> Signer:
        """Who signs tokens of a profile."""
        return self.report_signer if profile.is_report else self.signer

    def lifetime_of(self, profile: Profile) -> timedelta:
        """How long a token of a profile lasts when no policy says otherwise."""
        return self.report_lifetime if profile.is_report else self.token_lifetime

    def choose_policy(self, policy_type: str, draft: str | None, carrier: str | None = None) -> AppraisalPolicy:
        """The draft of the request if there is one, else the provider's policy (rest-api 7.0).

        Where none of the type is set, the one of its `carrier`'s counts (policy-language, Q22).

        Raises `PolicyParsingError` or `InvalidOperation` for a draft that cannot be read, `InvalidOperation` where no
        policy is set and the type has no default, and `StoreUnavailable` for a stored policy that was tampered with:
        never is a default used in its place (attack case IN-13).
        """
        if draft is not None:
            return draft_policy(draft)
        chosen = self.policies[policy_type]
        if carrier is not None and chosen.appraisal is None and not chosen.damaged:
            chosen = self.policies[carrier]
        if chosen.damaged:
            raise StoreUnavailable(f"the stored {policy_type} policy cannot be used: {chosen.damaged}")
        if chosen.appraisal is None:
            raise InvalidOperation(
                f"A {POLICY_TYPES[policy_type].label} attestation policy has not been set on the attestation provider."
            )
        return chosen.appraisal


def policies_in_force(versions: Mapping[str, PolicyVersion], trust_model: TrustModel) -> dict[str, PolicyInForce]:
    """The policy of every type, from the versions in force of those types that were ever set."""
    return {name: _in_force(name, versions.get(name), trust_model) for name in POLICY_TYPES}


def _in_force(policy_type: str, version: PolicyVersion | None, trust_model: TrustModel) -> PolicyInForce:
    default = POLICY_TYPES[policy_type].default_policy
    if version is None or version.is_default:
        return PolicyInForce(stored_policy(default) if default is not None else None, version)
    try:
        return PolicyInForce(_read(version, trust_model), version)
    except AssayError as error:
        return PolicyInForce(None, version, error.message)


def _read(version: PolicyVersion, trust_model: TrustModel) -> AppraisalPolicy:
    """The policy of a stored JWS. Its signature is verified again, and its hashes are those it was stored with.

    Whether the signer is still a member is not asked: a policy outlives the membership of whoever signed it.
    """
    jws = parse_management_jws(version.jws)
    if not jws.is_unsecured or trust_model is TrustModel.ISOLATED:
        verify_management_jws(jws)
    policy = stored_policy(policy_text(jws), jws.signer)
    if (policy.identity.hash, jws.token_hash) != (version.policy_hash, version.token_hash):
        raise StoreUnavailable("it is not the text that was set")
    return policy
