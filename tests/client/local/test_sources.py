from __future__ import annotations

import pytest

from assay.client.local import (
    SOURCE_NAMES,
    Asked,
    LocalEvidenceFailed,
    Machine,
    Presence,
    collect_local,
    find_source,
    look_around,
)
from assay.client.local.machine import SystemFiles
from assay.client.local.sources import SOURCES
from tests.client.local.fake_configfs import FakeConfigfs
from tests.client.local.fake_guest_device import FakeSevGuest
from tests.client.local.reports import enclave_quote, snp_report


@pytest.fixture
def machine(tmp_path):
    """A guest with a device of SEV-SNP and a TPM."""
    (tmp_path / "dev").mkdir()
    for name in ("sev-guest", "tpmrm0"):
        (tmp_path / "dev" / name).touch()
    return Machine(SystemFiles(tmp_path), FakeSevGuest(), pause=lambda _: None)


def enter_gramine(root) -> None:
    directory = root / "dev" / "attestation"
    directory.mkdir()
    for name, content in (
        ("attestation_type", b"dcap"),
        ("user_report_data", bytes(64)),
        ("quote", enclave_quote(bytes(64))),
    ):
        (directory / name).write_bytes(content)


def test_every_source_has_a_name_of_its_own():
    nowhere = Machine()
    assert tuple(make(nowhere).name for make in SOURCES) == SOURCE_NAMES
    assert len(set(SOURCE_NAMES)) == len(SOURCE_NAMES)


def test_a_look_around_tells_of_each_source_and_of_the_tpm(machine):
    found = {one.source: one.presence for one in look_around(machine)}
    assert found == {
        "gramine": Presence.ABSENT,
        "configfs-tsm": Presence.ABSENT,
        "sev-guest": Presence.USABLE,
        "tdx-guest": Presence.ABSENT,
        "tpm": Presence.BLOCKED,
    }


def test_whatever_is_not_usable_has_a_remedy_and_whatever_is_has_none(machine):
    for one in look_around(machine):
        assert (one.remedy == "") == (one.presence is Presence.USABLE), one


def test_the_first_usable_source_makes_the_evidence(machine):
    assert collect_local(machine, Asked(bytes(64))).source == "sev-guest"


def test_an_enclave_comes_before_the_machine_around_it(machine, tmp_path):
    enter_gramine(tmp_path)
    assert find_source(machine).name == "gramine"
    assert find_source(machine, kind="SevSnpVm").name == "sev-guest"
    assert find_source(machine, name="sev-guest").name == "sev-guest"


def test_the_common_interface_comes_before_the_device():
    files = FakeConfigfs(snp_report, others={"/dev/sev-guest": b""})
    assert find_source(Machine(files)).name == "configfs-tsm"


def test_a_common_interface_that_is_blocked_leaves_the_device():
    files = FakeConfigfs(snp_report, provider=None, others={"/dev/sev-guest": b""})
    assert find_source(Machine(files)).name == "sev-guest"


def test_a_machine_without_any_source_is_told_what_was_looked_for(tmp_path):
    with pytest.raises(LocalEvidenceFailed) as caught:
        find_source(Machine(SystemFiles(tmp_path)))
    assert all(name in caught.value.problem for name in SOURCE_NAMES)


def test_a_source_that_is_there_and_blocked_brings_its_remedy():
    with pytest.raises(LocalEvidenceFailed, match="modprobe sev-guest"):
        find_source(Machine(FakeConfigfs(snp_report, provider=None)))


def test_evidence_of_another_type_is_not_made_instead(machine):
    with pytest.raises(LocalEvidenceFailed, match="no local source of evidence of type TdxVm"):
        find_source(machine, kind="TdxVm")
    with pytest.raises(LocalEvidenceFailed, match="sev-guest: the device /dev/sev-guest, for SevSnpVm"):
        find_source(machine, name="sev-guest", kind="TdxVm")


def test_a_machine_without_a_tpm_is_told(tmp_path):
    tpm = look_around(Machine(SystemFiles(tmp_path)))[-1]
    assert (tpm.source, tpm.presence) == ("tpm", Presence.ABSENT)
