"""Services for the stock clients: one for synthetic evidence, one for the libraries' own samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.service.material import AT, write_collateral
from tests.service.running import Running, running
from tests.shared_vectors import shared_path
from tests.stock_clients.samples import Sample, genuine_samples, simulated_samples

if TYPE_CHECKING:
    from collections.abc import Iterator

# All certificates and collateral of the genuine samples are valid then.
AT_THE_TIME = "2023-05-12T13:43:27Z"
OPTIONS = ("--dev", "--port", "0", "--offline")


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("stock")
    collateral = write_collateral(folder / "collateral")
    options = (*OPTIONS, "--collateral", str(collateral), "--unsafe-verify-at", AT.isoformat())
    with running(folder / "state", *options) as started:
        yield started


@pytest.fixture(scope="session")
def genuine_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    collateral = shared_path("evidence/collateral")
    options = (*OPTIONS, "--collateral", str(collateral), "--unsafe-verify-at", AT_THE_TIME, "--accept-tcb", "any")
    with running(tmp_path_factory.mktemp("stock_genuine") / "state", *options) as started:
        yield started


@pytest.fixture(scope="session")
def samples() -> list[Sample]:
    return simulated_samples()


@pytest.fixture(scope="session")
def genuine() -> list[Sample]:
    return genuine_samples()
