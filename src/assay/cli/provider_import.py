"""A live provider read from outside: its signers and policies, to be set up at another one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assay.cli.connection import Connection
from assay.client import administration
from assay.errors import ServiceRefused
from assay.evidence import POLICY_TYPES
from assay.policy.signed import parse_management_jws

if TYPE_CHECKING:
    from assay.formats.strict_json import JsonObject, JsonValue


@dataclass(frozen=True, slots=True)
class Imported:
    """The provider that was made, and the policies (type to JWS) that are to be set at it."""

    resource: JsonObject
    policies: dict[str, str]

    def set_policies(self, provider: Connection, report: Callable[[str], None]) -> None:
        """Sets each policy as it was set there; raises what `Client.do` raises, at the first that is refused."""
        for policy_type, jws in self.policies.items():
            call = administration.set_policy_call(provider.url, policy_type, jws, import_=True)
            result = provider.result(call)
            report(f"{policy_type}: {result.get('x-ms-policy-result')}")
        if not self.policies:
            report("no policy is set there: the defaults are in force")


def import_from(theirs: Connection, create: Callable[[dict[str, JsonValue]], JsonObject]) -> Imported:
    """Reads everything first, then makes the provider by `create`, which takes its properties."""
    policies = {name: jws for name in POLICY_TYPES if (jws := _policy(theirs, name)) is not None}
    signers = administration.read_signers(theirs.result(administration.signers_call(theirs.url)))
    properties: dict[str, JsonValue] = {}
    if signers:
        properties["policySigningCertificates"] = {"keys": [{"kty": "RSA", "x5c": list(x5c)} for x5c in signers]}
    return Imported(create(properties), policies)


def _policy(theirs: Connection, policy_type: str) -> str | None:
    """The JWS in force there, or None where it is the default, none, or a type that the provider does not know."""
    try:
        result = theirs.result(administration.policy_call(theirs.url, policy_type))
    except ServiceRefused as error:
        if error.status in (400, 404):
            return None
        raise
    jws = administration.read_stored_policy(result)
    default = POLICY_TYPES[policy_type].default_policy
    unset = (f"{administration.UNSECURED}..", None if default is None else administration.encode_policy(default, None))
    return None if jws in unset or not parse_management_jws(jws).payload else jws
