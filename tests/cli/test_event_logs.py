"""Event logs on the command line: decoded, compared with values and quotes, and PCRs predicted from them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import pytest

from assay.formats import base64url
from assay.simulator.azure_guest import mint_attestation_info
from assay.simulator.tpm import boots
from assay.simulator.tpm import structures as tpm
from assay.simulator.tpm.event_log import EFI_ACTION, encode_log, pcr_values
from assay.simulator.tpm.ima import Measurement, encode_ascii, encode_binary
from tests.cli.command_line import write
from tests.guests import LINUX
from tests.shared_vectors import shared_path

EVENTS = boots.windows_boot()
VALUES = pcr_values(EVENTS)
SHA256 = {str(pcr): value.hex() for pcr, value in VALUES[tpm.SHA256].items()}
# In the log the header comes first.
SECURE_BOOT = 2


@pytest.fixture
def log(tmp_path):
    return write(tmp_path / "boot.log", encode_log(EVENTS))


def test_a_log_is_decoded_in_any_spelling(assay, tmp_path, log):
    octets = log.read_bytes()
    for content in (octets, octets.hex()):
        shown = assay("inspect", write(tmp_path / "spelled", content), "--json").json
        assert shown["kind"] == "event log (crypto-agile)"
        fields = shown["fields"]
        assert fields["pcrs"]["sha256"]["7"] == SHA256["7"]
        assert fields["secure_boot"]["enabled"] is True
        assert fields["secure_boot"]["default_keys"] is False
        assert fields["windows"]["boot_debugging"] is False
        assert fields["events"][SECURE_BOOT]["data"]["name"] == "SecureBoot"
        assert {one["data_is"] for one in fields["events"]} >= {
            "covered by its digest",
            "after the separator of its PCR",
            "extended into no PCR",
        }


def test_a_cc_event_log_shows_rtmrs(assay):
    path = shared_path("vectors/tpm/eventlogs/ccel/CCEL_unpadded.data.bin")
    shown = assay("inspect", path, "--json").json
    assert "CCEL" in shown["kind"]
    assert shown["fields"]["rtmrs"]["RTMR0"].startswith("8083cd6898cc52a9")


def test_an_ima_list_is_decoded_in_both_forms(assay, tmp_path):
    measured = [Measurement("/usr/bin/init", b"init"), Measurement("/usr/bin/busy", b"", violation=True)]
    for content in (encode_ascii(measured), encode_binary(measured)):
        shown = assay("inspect", write(tmp_path / "ima", content), "--json").json
        assert shown["kind"] == "IMA list"
        assert [one["path"] for one in shown["fields"]["entries"]] == ["/usr/bin/init", "/usr/bin/busy"]
        assert shown["fields"]["violations"] == 1


def test_a_broken_log_says_where(assay, tmp_path, log):
    ended = assay("inspect", write(tmp_path / "short", log.read_bytes()[:-1]))
    assert ended.code == 2
    assert "event log" in ended.err


def values_files():
    return {
        "own form": json.dumps({"sha256": SHA256}),
        "claim": json.dumps(
            {"PCRs": [{"Index": int(pcr), "Digests": {"SHA256": hex_}} for pcr, hex_ in SHA256.items()]}
        ),
        "tpm2_pcrread": "sha256:\n" + "".join(f"  {pcr:<2}: 0x{hex_.upper()}\n" for pcr, hex_ in SHA256.items()),
    }


@pytest.mark.parametrize("form", values_files())
def test_values_of_any_tool_are_compared_with_the_log(assay, tmp_path, log, form):
    text = values_files()[form]
    same = assay("inspect", log, "--pcrs", write(tmp_path / "same", text), "--json").json
    assert same["fields"]["differs"] == []
    changed = write(
        tmp_path / "other",
        text.lower()
        .replace(SHA256["7"], "00" * 32)
        .replace('"pcrs"', '"PCRs"')
        .replace('"index"', '"Index"')
        .replace('"digests"', '"Digests"'),
    )
    (difference,) = assay("inspect", log, "--pcrs", changed, "--json").json["fields"]["differs"]
    assert difference == {"pcr": "sha256 7", "quoted": "00" * 32, "replayed": SHA256["7"]}


@pytest.mark.parametrize(
    "text", ["", "{}", "no values", '{"md5": {"0": "00"}}', '{"sha256": {"0": "0"}}', '{"sha256": []}']
)
def test_a_file_that_holds_no_values_is_a_wrong_usage(assay, tmp_path, log, text):
    assert assay("inspect", log, "--pcrs", write(tmp_path / "values", text)).code == 2


def test_a_quote_is_compared_with_the_log(assay, tmp_path, log):
    selection = ((tpm.SHA256, tuple(range(8))),)
    quote = tpm.encode_quote(selection, tpm.composite(selection, VALUES, tpm.SHA256))
    shown = assay("inspect", log, "--quote", write(tmp_path / "quote", quote), "--json").json["fields"]["quote"]
    assert shown == {"selection": "sha256 0 1 2 3 4 5 6 7", "verdict": "the quote is over what the log gives"}
    other = tpm.encode_quote(selection, bytes(32))
    shown = assay("inspect", log, "--quote", write(tmp_path / "quote", other), "--json").json["fields"]["quote"]
    assert "OTHER VALUES" in shown["verdict"]


def test_values_belong_to_a_log(assay, sgx, tmp_path):
    values = write(tmp_path / "values", json.dumps({"sha256": SHA256}))
    assert assay("inspect", sgx / "quote.bin", "--pcrs", values).code == 2


def test_a_log_predicts_its_own_pcrs(assay, log):
    ended = assay("pcr", "predict", log, "--json")
    assert ended.code == 0
    used = {str(event.pcr) for event in EVENTS}
    assert ended.json == {"sha256": {pcr: value for pcr, value in SHA256.items() if pcr in used}}
    (text,) = assay("pcr", "predict", log, "--bank", "sha1", "--pcr", 7).out.splitlines()[1:]
    assert text.split(": ")[1] == f"0x{VALUES[tpm.SHA1][7].hex()}"


def test_a_changed_boot_is_predicted(assay, tmp_path, log):
    off = pcr_values(boots.windows_boot(boots.WindowsForm(firmware=boots.FirmwareForm(secure_boot=b"\0"))))
    data = EVENTS[SECURE_BOOT - 1].data[:-1] + b"\0"
    file = write(tmp_path / "off", data)
    assert assay("pcr", "predict", log, "--data", f"{SECURE_BOOT}={file}", "--pcr", 7, "--json").json == {
        "sha256": {"7": off[tpm.SHA256][7].hex()}
    }
    without = pcr_values(boots.windows_boot(boots.WindowsForm(firmware=boots.FirmwareForm(secure_boot=None))))
    assert assay("pcr", "predict", log, "--leave-out", SECURE_BOOT, "--pcr", 7, "--json").json == {
        "sha256": {"7": without[tpm.SHA256][7].hex()}
    }
    first = hashlib.sha256(bytes(32) + hashlib.sha256(EVENTS[0].data).digest()).hexdigest()
    assert assay("pcr", "predict", log, "--up-to", 1, "--json").json == {"sha256": {"0": first}}


def test_measurements_alone_are_predicted(assay, tmp_path):
    file = write(tmp_path / "line", b"root=/dev/sda1")
    measured = hashlib.sha384(b"root=/dev/sda1").digest()
    once = hashlib.sha384(bytes(48) + measured).digest()
    twice = hashlib.sha384(once + measured).hexdigest()
    ended = assay(
        "pcr", "predict", "--bank", "sha384", "--extend", f"8={file}", "--digest", f"8={measured.hex()}", "--json"
    )
    assert ended.json == {"sha384": {"8": twice}}


def test_a_predicted_policy_permits_the_predicted_machine_only(assay, tmp_path, log):
    policy = write(tmp_path / "predicted.policy", assay("pcr", "predict", log, "--pcr", 0, "--pcr", 7, "--policy").out)
    checked = assay("policy", "check", policy)
    assert checked.code == 0
    assert "warning" not in checked.out

    def permitted(values):
        listed = [{"Index": int(pcr), "Digests": {"SHA256": value}} for pcr, value in values.items()]
        claims = [{"type": "pcrs", "value": json.dumps({"PCRs": listed})}]
        return assay("policy", "eval", policy, "--claims", write(tmp_path / "claims", json.dumps(claims))).code

    assert permitted(SHA256) == 0
    assert permitted({**SHA256, "7": "00" * 32}) == 1
    assert permitted({"0": SHA256["0"]}) == 1


@pytest.mark.parametrize(
    "options",
    [
        ("--bank", "sha512"),
        ("--leave-out", "999"),
        ("--leave-out", "0"),
        ("--data", "2"),
        ("--data", "x=y"),
        ("--extend", "24=nothing"),
        ("--digest", "8=zz"),
        ("--digest", "8=00"),
        ("--digest", f"24={'00' * 32}"),
        ("--up-to", "-1"),
    ],
)
def test_a_prediction_that_cannot_be_made_is_a_wrong_usage(assay, log, options):
    ended = assay("pcr", "predict", log, *options)
    assert ended.code == 2
    assert ended.out == ""


def test_the_log_inside_a_request_is_decoded_as_one_by_itself(assay, tmp_path):
    encoded = base64url.encode(mint_attestation_info(LINUX))
    body = json.dumps({"AttestationInfo": encoded})
    fields = assay("inspect", write(tmp_path / "body", body), "--json").json["fields"]["evidence"]["log"]
    assert fields["secure_boot"]["enabled"] is True
    assert fields["events"][SECURE_BOOT]["data"]["name"] == "SecureBoot"


def test_a_type_that_the_data_contradicts_is_shown(assay, tmp_path):
    renamed = [*EVENTS[:1], replace(EVENTS[1], kind=EFI_ACTION), *EVENTS[2:]]
    shown = assay("inspect", write(tmp_path / "log", encode_log(renamed)), "--json").json["fields"]["events"]
    assert shown[SECURE_BOOT]["type"] == "EV_EFI_ACTION"
    assert shown[SECURE_BOOT]["really"] == "EV_EFI_VARIABLE_DRIVER_CONFIG"
