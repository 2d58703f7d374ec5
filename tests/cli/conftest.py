from __future__ import annotations

from datetime import UTC, datetime

import pytest

from assay.simulator import simulate_open_enclave, simulate_sgx
from tests.cli.command_line import CommandLine

AT = datetime(2025, 6, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def assay(capsys):
    return CommandLine(capsys)


@pytest.fixture(scope="module")
def sgx(tmp_path_factory):
    """A directory with good SGX evidence that binds `runtime_data.bin`, made for 2025-06-01T12:00Z."""
    directory = tmp_path_factory.mktemp("sgx")
    simulate_sgx(AT, runtime_data=b'{"key":"value"}').write(directory)
    return directory


@pytest.fixture(scope="module")
def open_enclave(tmp_path_factory):
    directory = tmp_path_factory.mktemp("oe")
    simulate_open_enclave(AT, runtime_data=b"held").write(directory)
    return directory
