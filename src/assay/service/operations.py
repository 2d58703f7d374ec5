"""The table of operations: path, method, who may call, what answers (rest-api section 1)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

from assay.service import certificates, control_plane, metadata_answers, policies, tcb_baselines
from assay.service.access import Action
from assay.service.attest import attest

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

Handler = Callable[["Request"], Awaitable["Response"]]


class Operation(NamedTuple):
    """What answers a method at a path. `action` is what the caller's role must permit; None: anonymous, a bearer is
    ignored. `name` is how the audit calls it, empty for what is not recorded or names itself.
    """

    answer: Handler
    action: Action | None = None
    name: str = ""


_ATTEST: Final = {"POST": Operation(attest)}

# By path in lower case; `*` stands for one segment, the attestation type.
OPERATIONS: Final[Mapping[str, Mapping[str, Operation]]] = {
    "/attest/*": _ATTEST,
    # 2018-09-01-preview (rest-api 12).
    "/attest/tee/*": _ATTEST,
    "/certs": {"GET": Operation(metadata_answers.certs)},
    "/.well-known/openid-configuration": {"GET": Operation(metadata_answers.discovery)},
    "/servicehealth": {"GET": Operation(metadata_answers.service_health)},
    "/livez": {"GET": Operation(metadata_answers.alive)},
    "/readyz": {"GET": Operation(metadata_answers.ready)},
    "/policies/*": {
        "GET": Operation(policies.get_policy, Action.READ, "GetPolicy"),
        "PUT": Operation(policies.set_policy, Action.WRITE, "SetPolicy"),
    },
    "/policies/*:reset": {"POST": Operation(policies.reset_policy, Action.DELETE, "ResetPolicy")},
    "/policies/*:history": {"GET": Operation(policies.get_history, Action.READ, "GetPolicyHistory")},
    "/policies/*:rollback": {"POST": Operation(policies.roll_back_policy, Action.WRITE, "RollBackPolicy")},
    "/certificates": {"GET": Operation(certificates.list_certificates, Action.READ, "GetPolicyCertificates")},
    "/certificates:add": {"POST": Operation(certificates.add_certificate, Action.WRITE, "AddPolicyCertificate")},
    "/certificates:remove": {
        "POST": Operation(certificates.remove_certificate, Action.WRITE, "RemovePolicyCertificate")
    },
    "/tcbbaselines/*": {"GET": Operation(tcb_baselines.list_baselines)},
}
_TYPED: Final = ("/attest/tee/", "/attest/", "/policies/", "/tcbbaselines/")

# The resource provider's own operations; it authorises by itself, since its paths name the provider.
CONTROL_PLANE: Final = {
    method: Operation(control_plane.answer, None, "ControlPlane") for method in ("GET", "PUT", "PATCH", "DELETE")
}
_CONTROL_PLANE: Final = ("/subscriptions/", "/providers/microsoft.attestation/")


def find_operations(path: str) -> tuple[Mapping[str, Operation] | None, str]:
    """The operations of a path in lower case by method, None for no known path, and the attestation type it names."""
    exact = OPERATIONS.get(path)
    if exact is not None:
        return exact, ""
    for parent in _TYPED:
        if path.startswith(parent):
            name, colon, verb = path.removeprefix(parent).partition(":")
            return (None, "") if "/" in name or not name else (OPERATIONS.get(f"{parent}*{colon}{verb}"), name)
    if path.startswith(_CONTROL_PLANE):
        return CONTROL_PLANE, ""
    return None, ""
