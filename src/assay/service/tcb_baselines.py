"""GET /tcbbaselines/{type}: the TCB evaluation data numbers that a policy may choose (rest-api 10)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from assay.evidence import find_policy_type
from assay.service.context import provider_of
from assay.service.errors import HttpRefusal
from assay.service.requests import require_api_version
from assay.service.responses import encode, json_response

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from assay.formats.strict_json import JsonValue

_PROPERTY: Final = "x-ms-sgx-tcbidentifier"
_CHANNEL: Final = "azuredefault"
_TEXT_NUMBERS: Final = "2022-09-01-preview"


class _Baseline(NamedTuple):
    """A published recovery event: Intel's `tcbDate`, and the platform software it needs where that is documented."""

    number: int
    released: str
    linux: str = ""
    windows: str = ""


# Numbers and dates: policy-language 9; platform software: the examples of rest-api 10.
_BASELINES: Final = (
    _Baseline(10, "2020-11-11", "2.9", "2.7.101.2"),
    _Baseline(11, "2021-06-09", "2.13.3", "2.13.100.2"),
    _Baseline(12, "2021-11-10"),
    _Baseline(13, "2022-08-10"),
    _Baseline(14, "2022-11-09"),
    _Baseline(15, "2023-02-15"),
)


async def list_baselines(request: Request) -> Response:
    """The baselines; which one the policy in force selects is marked, none when it follows the operator's channel."""
    version = require_api_version(request)
    policy_type = find_policy_type(request.path_params["type"])
    if policy_type is None:
        raise HttpRefusal(400, "InvalidParameter", f"no attestation type {request.path_params['type'][:60]!r}")
    chosen = provider_of(request).policies[policy_type].appraisal
    selected = str(chosen.configuration.get(_PROPERTY, _CHANNEL)) if chosen is not None else _CHANNEL
    items: list[JsonValue] = [_encode(baseline, selected, version) for baseline in _BASELINES]
    return json_response(request, encode({"tcbBaselines": items}), cors=False)


def _encode(baseline: _Baseline, selected: str, version: str) -> JsonValue:
    number = str(baseline.number)
    item: dict[str, JsonValue] = {
        "tcbReleaseDate": f"{baseline.released}T00:00:00",
        "minimumPswLinuxVersion": baseline.linux,
        "minimumPswWindowsVersion": baseline.windows,
    }
    if version == _TEXT_NUMBERS:
        return {**item, "tcbEvaluationDataNumber": number}
    return {
        **item,
        "isSelectedTcb": selected == number,
        "tcbEvaluationDataNumber": baseline.number,
        "tcbIdentifier": number,
    }
