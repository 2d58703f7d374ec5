"""Hand-made incoming claims of an SGX enclave, as `claims.md` names them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.claims import ClaimSet, ClaimValue

if TYPE_CHECKING:
    from collections.abc import Mapping

SGX: dict[str, ClaimValue] = {
    "x-ms-sgx-is-debuggable": False,
    "x-ms-sgx-mrsigner": "mrsigner1",
    "x-ms-sgx-mrenclave": "b" * 64,
    "x-ms-sgx-product-id": 4639,
    "x-ms-sgx-svn": 2,
    "x-ms-attestation-type": "sgx",
}

LEGACY = {
    "is-debuggable": False,
    "sgx-mrsigner": "mrsigner1",
    "sgx-mrenclave": "b" * 64,
    "product-id": 4639,
    "svn": 2,
    "tee": "sgx",
}


def service_claims(values: Mapping[str, ClaimValue]) -> ClaimSet:
    return ClaimSet.of_service(values.items())
