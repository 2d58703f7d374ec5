from __future__ import annotations

import contextlib
import errno
import json

import pytest

from assay.client.local.configfs_tsm import ConfigfsTsm
from assay.client.local.machine import Machine
from assay.client.local.patience import DELAYS
from assay.client.local.source import Asked, LocalEvidenceFailed, Presence
from assay.formats import base64url
from tests.client.local.fake_configfs import Entry, FakeConfigfs
from tests.client.local.reports import (
    ARK,
    ASK,
    AUTHORITY,
    LEAF,
    ROOT,
    VCEK,
    certificate_table,
    certificates_in,
    snp_report,
    td_quote,
)
from tests.shared_vectors import shared_path

ASKED = Asked(bytes(range(64)))


class Tried:
    def __init__(self, files: FakeConfigfs) -> None:
        self.files = files
        self.pauses: list[float] = []
        self.source = ConfigfsTsm(Machine(files=files, pause=self.pauses.append))

    def collect(self, asked: Asked = ASKED):
        return self.source.collect(asked)

    def failure(self, asked: Asked = ASKED) -> LocalEvidenceFailed:
        with pytest.raises(LocalEvidenceFailed) as caught:
            self.collect(asked)
        return caught.value


def sev(**fields) -> Tried:
    return Tried(FakeConfigfs(snp_report, **fields))


def tdx(**fields) -> Tried:
    return Tried(FakeConfigfs(lambda inblob, _level: td_quote(inblob), provider="tdx_guest", table=None, **fields))


def envelope(evidence: bytes) -> dict[str, str]:
    return json.loads(evidence)


def test_a_report_of_sev_snp_becomes_the_envelope_of_the_wire():
    tried = sev(table=certificate_table({ASK: AUTHORITY, ARK: ROOT, VCEK: LEAF}))
    made = tried.collect()
    assert (made.kind, made.source) == ("SevSnpVm", "configfs-tsm")
    members = envelope(made.evidence)
    assert set(members) == {"SnpReport", "VcekCertChain"}
    assert base64url.decode_strict(members["SnpReport"]) == snp_report(ASKED.report_data)
    assert certificates_in(base64url.decode_strict(members["VcekCertChain"])) == [LEAF, AUTHORITY, ROOT]


def test_a_quote_of_tdx_is_passed_on_as_it_is():
    made = tdx().collect()
    assert (made.kind, made.evidence) == ("TdxVm", td_quote(ASKED.report_data))


def test_a_quote_of_version_5_is_known():
    tried = Tried(FakeConfigfs(lambda i, _l: td_quote(i, 5), provider="tdx_guest", table=None))
    assert tried.collect().evidence == td_quote(ASKED.report_data, 5)


def test_what_is_no_quote_is_refused():
    """Larger quotes of newer platforms are CBOR web tokens (ABI text of `provider`)."""
    tried = Tried(FakeConfigfs(lambda _i, _l: b"\xd2\x84" + bytes(9000), provider="tdx_guest", table=None))
    assert "no quote of version 4 or 5, but 9002 octets" in tried.failure().message


def test_a_report_of_another_size_is_refused():
    tried = Tried(FakeConfigfs(lambda i, level: snp_report(i, level)[:-1]))
    assert "1183 octets" in tried.failure().message


def test_the_entry_is_removed_whatever_happens():
    for tried in (sev(), sev(faults={("read", "outblob"): [errno.EIO]}), sev(lost_writes=9)):
        with contextlib.suppress(LocalEvidenceFailed):
            tried.collect()
        assert tried.files.entries == {}
        assert ("rmdir", "") in tried.files.log


def test_an_entry_that_cannot_be_removed_does_not_cost_the_evidence():
    tried = sev(faults={("rmdir", ""): [errno.EBUSY]})
    assert tried.collect().kind == "SevSnpVm"


def test_all_64_octets_are_written():
    assert sev().collect(Asked(bytes(64))).kind == "SevSnpVm"
    with pytest.raises(ValueError, match="64 octets"):
        Asked(bytes(63))


def test_the_privilege_level_is_decimal_text_and_counts_as_a_write():
    made = sev().collect(Asked(ASKED.report_data, 2))
    report = base64url.decode_strict(envelope(made.evidence)["SnpReport"])
    assert report == snp_report(ASKED.report_data, 2)


def test_a_privilege_level_below_the_floor_is_refused_before_it_is_written():
    tried = sev(floor=2)
    assert "ask for 2 or more" in tried.failure(Asked(bytes(64), 1)).message
    assert ("write", "privlevel") not in tried.files.log
    assert sev(floor=2).collect(Asked(bytes(64), 2)).kind == "SevSnpVm"


def test_a_privilege_level_where_there_are_none_is_refused():
    assert "no privilege levels" in tdx().failure(Asked(bytes(64), 0)).message


def test_a_lost_write_is_noticed_by_the_generation_and_tried_again():
    tried = sev(lost_writes=1)
    assert tried.collect().kind == "SevSnpVm"
    assert tried.pauses == [DELAYS[0]]


def test_writes_that_are_always_lost_end():
    tried = sev(lost_writes=99)
    assert "generation 0 after the report data was written, expected 1" in tried.failure().message
    assert tried.pauses == list(DELAYS)
    assert tried.files.lost_writes == 99 - len(DELAYS) - 1


def test_another_writer_before_the_read_costs_the_attempt():
    """The lost race: the report is of the other's data, and the generation went up by two."""
    raced: list[Entry] = []

    def interfere(entry):
        if not raced:
            raced.append(entry)
            entry.inblob, entry.outblob = bytes(64), None
            entry.generation += 1

    tried = sev(interfere=interfere)
    made = tried.collect()
    assert base64url.decode_strict(envelope(made.evidence)["SnpReport"]) == snp_report(ASKED.report_data)
    assert tried.pauses == [DELAYS[0]]


def test_another_writer_in_every_attempt_is_a_failure_that_says_so():
    def interfere(entry):
        entry.inblob, entry.outblob = bytes(64), None
        entry.generation += 1

    assert "generation 2 after the report was read, expected 1" in sev(interfere=interfere).failure().message


def test_a_report_of_other_data_is_never_passed_on():
    """Even with a generation that shows nothing: what was written is compared with what the report holds."""

    def interfere(entry):
        entry.inblob, entry.outblob = bytes(64), None

    assert "report data of another caller" in sev(interfere=interfere).failure().message


@pytest.mark.parametrize("number", [errno.EBUSY, errno.EINTR, errno.ETIMEDOUT, errno.EAGAIN])
@pytest.mark.parametrize("where", [("read", "outblob"), ("write", "inblob"), ("mkdir", "")])
def test_what_passes_is_tried_again_in_a_new_entry(number, where):
    tried = sev(faults={where: [number, number]})
    assert tried.collect().kind == "SevSnpVm"
    assert tried.pauses == list(DELAYS[:2])
    assert tried.files.log.count(("mkdir", "")) == 3


def test_a_device_that_stays_busy_is_given_up():
    tried = sev(faults={("read", "outblob"): [errno.EBUSY] * 99})
    error = tried.failure()
    assert f"({len(DELAYS) + 1} attempts)" in error.problem
    assert tried.pauses == list(DELAYS)


@pytest.mark.parametrize(
    ("number", "remedy"), [(errno.EACCES, "root"), (errno.EFBIG, "update the kernel"), (errno.EIO, "dmesg")]
)
def test_what_does_not_pass_is_not_tried_again(number, remedy):
    tried = sev(faults={("read", "outblob"): [number]})
    assert remedy in tried.failure().remedy
    assert tried.pauses == []


def test_a_report_beyond_the_limit_is_refused():
    tried = Tried(FakeConfigfs(lambda _i, _l: bytes(1 << 17), provider="tdx_guest", table=None))
    assert "at most 65536" in tried.failure().message


def test_a_table_that_is_none_is_left_out_with_a_note():
    made = sev(table=b"\x01" * 30).collect()
    assert "VcekCertChain" not in envelope(made.evidence)
    assert "passed over" in made.notes[0]
    assert "fetch them from AMD" in made.notes[1]


@pytest.mark.parametrize("table", [b"", bytes(4096), None])
def test_an_empty_table_is_common_and_means_that_there_are_no_certificates(table):
    made = sev(table=table).collect()
    assert set(envelope(made.evidence)) == {"SnpReport"}
    assert made.notes == ("no certificates here: the service has to fetch them from AMD",)


@pytest.mark.parametrize(("tried", "kind"), [(sev(), "SevSnpVm"), (tdx(), "TdxVm")])
def test_a_look_tells_the_provider_and_leaves_nothing(tried, kind):
    found = tried.source.look()
    assert (found.presence, found.kind, found.remedy) == (Presence.USABLE, kind, "")
    assert tried.files.provider in found.seen
    assert tried.files.entries == {}


@pytest.mark.parametrize(
    ("tried", "presence", "remedy"),
    [
        (sev(is_mounted=False), Presence.ABSENT, "mount -t configfs"),
        (sev(provider=None), Presence.BLOCKED, "modprobe sev-guest"),
        (sev(faults={("mkdir", ""): [errno.EACCES]}), Presence.BLOCKED, "root"),
        (sev(faults={("mkdir", ""): [errno.EROFS]}), Presence.BLOCKED, "read-only"),
        (sev(provider="arm_cca_guest"), Presence.BLOCKED, "only sev_guest and tdx_guest"),
    ],
)
def test_a_look_tells_what_is_missing_and_the_remedy(tried, presence, remedy):
    found = tried.source.look()
    assert found.presence is presence
    assert remedy in found.remedy


def test_configfs_without_the_module_says_which_module():
    files = sev(is_mounted=False)
    files.files.others["/sys/kernel/config"] = b""
    assert "modprobe tsm_report" in files.source.look().remedy


def test_a_provider_that_is_not_known_gives_no_evidence():
    assert "arm_cca_guest" in sev(provider="arm_cca_guest").failure().message


def transcripts():
    path = shared_path("vectors/self-attestation/evidence-sources.json")
    return json.loads(path.read_text())


@pytest.mark.parametrize(
    "name",
    ["one shot", "with privilege level", "too long", "read before write", "binary privilege level", "no provider"],
)
def test_the_fake_behaves_as_the_recorded_transcripts(name):
    """The transcripts are of the kernel: what the fake is trusted for."""
    one = next(one for one in transcripts()["tsm"] if one["name"] == name)
    report = snp_report if one["provider"] == "sev_guest" else lambda i, _l: td_quote(i)
    fake = FakeConfigfs(report, provider=one["provider"], table=b"certificates")
    for operation in one["ops"]:
        replay(fake, *operation)


def replay(fake: FakeConfigfs, operation: str, path: str, *more: str) -> None:
    path = f"/sys/kernel/config/tsm/report/{path}"
    match operation:
        case "mkdir":
            fake.make_directory(path)
        case "rmdir":
            fake.remove_directory(path)
        case "mkdir-fails":
            assert raised(lambda: fake.make_directory(path)) == more[0]
        case "read":
            assert fake.read(path, 4096).decode() == more[0]
        case "read-bin":
            assert fake.read(path, 1 << 16)
        case "read-fails":
            assert raised(lambda: fake.read(path, 1 << 16)) == more[0]
        case "write":
            fake.write(path, bytes.fromhex(more[0]))
        case "write-text":
            fake.write(path, more[0].encode())
        case "write-fails":
            content = b"\0" if more[0] == "octet 0x00" else bytes.fromhex(more[0])
            assert raised(lambda: fake.write(path, content)) == more[1]
        case _:
            raise AssertionError(operation)


def raised(call) -> str:
    with pytest.raises(OSError) as caught:
        call()
    return errno.errorcode[caught.value.errno or 0]
