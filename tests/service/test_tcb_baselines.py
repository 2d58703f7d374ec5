"""GET /tcbbaselines/{type} (rest-api 10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.administrators import unsecured
from tests.service.administration import Administered, administered
from tests.service.in_process import development
from tests.service.material import refusal_of

if TYPE_CHECKING:
    from collections.abc import Iterator

PATH = "/tcbbaselines/SgxEnclave"
CHOOSING = (
    'version=1.1; configurationrules{=> issueproperty(type="x-ms-sgx-tcbidentifier", value="11");}; '
    "authorizationrules{=> permit();}; issuancerules{};"
)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Administered]:
    with administered(development(tmp_path_factory.mktemp("baselines"), ())) as running:
        yield running


def listed(served: Administered, version: str, path: str = PATH, role: str | None = None) -> list[dict]:
    response = served.ask("GET", path, role=role, version=version)
    assert response.status_code == 200, response.text
    assert list(response.json()) == ["tcbBaselines"]
    return response.json()["tcbBaselines"]


@pytest.mark.parametrize("version", ["2025-06-01", "2026-03-11-preview"])
@pytest.mark.parametrize("path", [PATH, "/TcbBaselines/openenclave"])
def test_the_published_example_is_answered(served: Administered, version: str, path: str) -> None:
    items = listed(served, version, path)
    assert [item["tcbEvaluationDataNumber"] for item in items] == [10, 11, 12, 13, 14, 15]
    assert items[0] == {
        "isSelectedTcb": False,
        "minimumPswLinuxVersion": "2.9",
        "minimumPswWindowsVersion": "2.7.101.2",
        "tcbEvaluationDataNumber": 10,
        "tcbIdentifier": "10",
        "tcbReleaseDate": "2020-11-11T00:00:00",
    }
    assert (items[1]["tcbReleaseDate"], items[1]["minimumPswLinuxVersion"]) == ("2021-06-09T00:00:00", "2.13.3")


def test_the_preview_of_2022_has_numbers_as_text(served: Administered) -> None:
    for query in ("", "?provideCurrentTcbInPolicy=true"):
        items = listed(served, "2022-09-01-preview", f"{PATH}{query}")
        assert set(items[0]) == {
            "tcbEvaluationDataNumber",
            "tcbReleaseDate",
            "minimumPswLinuxVersion",
            "minimumPswWindowsVersion",
        }
        assert all(isinstance(item["tcbEvaluationDataNumber"], str) for item in items)


def test_the_baseline_that_the_policy_chose_is_marked(served: Administered) -> None:
    served.claims("PUT", "/policies/SgxEnclave", unsecured(CHOOSING))
    assert [item["tcbIdentifier"] for item in listed(served, "2025-06-01") if item["isSelectedTcb"]] == ["11"]
    assert not any(item["isSelectedTcb"] for item in listed(served, "2025-06-01", "/tcbbaselines/OpenEnclave"))


def test_anybody_may_ask_with_or_without_a_bearer(served: Administered) -> None:
    for role in (None, "reader", "operator"):
        assert listed(served, "2025-06-01", role=role)
    response = served.ask("GET", PATH, role=None, headers={"Authorization": "Bearer nonsense"})
    assert response.status_code == 200


def test_another_type_and_a_missing_version_are_refused(served: Administered) -> None:
    refusal_of(served.ask("GET", "/tcbbaselines/Nothing", role=None), 400, "InvalidParameter")
    refusal_of(served.ask("GET", PATH, role=None, version=None), 400, "ApiVersionUnspecified")
