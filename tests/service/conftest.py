"""Services and collateral that the tests of this folder share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.service.in_process import development
from tests.service.material import AT, write_collateral
from tests.service.running import Running, running
from tests.store.conftest import postgresql_url, scratch_database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx2

    from assay.service.config import Settings

__all__ = ["postgresql_url", "scratch_database"]  # fixtures


@pytest.fixture(scope="session")
def collateral(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_collateral(tmp_path_factory.mktemp("simulated") / "collateral")


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory, collateral: Path) -> Iterator[Running]:
    """A development service at the time of the synthetic evidence."""
    state_dir = tmp_path_factory.mktemp("service") / "state"
    options = ("--dev", "--port", "0", "--offline", "--collateral", str(collateral))
    with running(state_dir, *options, "--unsafe-verify-at", AT.isoformat()) as started:
        yield started


@pytest.fixture(scope="session")
def wire(service: Running) -> Iterator[httpx2.Client]:
    with service.client() as client:
        yield client


@pytest.fixture(scope="session")
def dev_settings(tmp_path_factory: pytest.TempPathFactory, collateral: Path) -> Settings:
    """For an application in this process; its database and signing key exist."""
    return development(tmp_path_factory.mktemp("in_process"), (collateral,))
