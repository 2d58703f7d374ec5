"""The issuer that the tests of this folder share, put back to its first state for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.client.issuer import ec_jwk, rsa_jwk
from tests.service.access.openid_issuer import OpenIdIssuer, openid_issuer
from tests.service.authority import make_authority

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def running_issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenIdIssuer]:
    directory = tmp_path_factory.mktemp("openid")
    with openid_issuer(make_authority(directory), directory) as issuer:
        yield issuer


@pytest.fixture
def issuer(running_issuer: OpenIdIssuer) -> OpenIdIssuer:
    running_issuer.answers.clear()
    running_issuer.asked.clear()
    running_issuer.describe()
    running_issuer.publish(rsa_jwk("rsa"), ec_jwk("ec"))
    return running_issuer
