"""A real report that a package of the public registry ships: not decided without AMD's revocation list."""

from __future__ import annotations

import json
from importlib.util import find_spec
from typing import Final

from assay.client.shells import submission
from assay.formats import base64url, pem
from demo.steps import Refused, Step

PACKAGE: Final = "omne_attest"
_LIST: Final = "revocation list of the ARK of Milan"


def is_here() -> bool:
    """Whether the package is installed."""
    return find_spec(PACKAGE) is not None


def registry_evidence() -> bytes:
    """The report with its chain, in the envelope of the wire."""
    from omne_attest import vectors  # noqa: PLC0415  # a package that only demonstrations and tests need

    chain = b"".join(pem.encode(one, "CERTIFICATE") for one in (vectors.vcek(), vectors.ask(), vectors.ark()))
    members = {"SnpReport": base64url.encode(vectors.attestation()), "VcekCertChain": base64url.encode(chain)}
    return json.dumps(members).encode("ascii")


def registry_steps() -> tuple[Step, ...]:
    """Not decided: no list of the time is at hand, and the demonstration asks no vendor."""
    if not is_here():
        return ()
    sent = submission(registry_evidence())
    return (
        Step(
            "SevSnpVm",
            "real Milan report of a public package",
            "as received",
            sent,
            Refused(503, "ark_crl.available", _LIST),
        ),
    )
