"""The operator's own secure boot keys in a trust directory."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import pytest

from assay.collateral.trust_directory import read_anchors
from assay.errors import ConfigurationError
from assay.simulator.tpm.boots import FIRMWARE
from assay.simulator.tpm.event_log import signature_list
from tests.appraisals import judge
from tests.guests import LINUX, PERMIT, guest_case

CERTIFICATE = b"the certificate of the operator's own platform key"
DIGEST = hashlib.sha256(CERTIFICATE).hexdigest()
MACHINE = replace(LINUX, firmware=replace(FIRMWARE, pk=signature_list(CERTIFICATE)))
CLAIM = "x-ms-azurevm-default-securebootkeysvalidated"


def write(folder, content):
    folder.mkdir(exist_ok=True)
    (folder / "secure_boot_keys.json").write_bytes(
        content if isinstance(content, bytes) else json.dumps(content).encode()
    )
    return folder


def test_keys_that_the_operator_lists_are_known(tmp_path):
    case = guest_case(MACHINE)
    assert judge(case, policy=PERMIT).statement.members[CLAIM] is False
    anchors = read_anchors([write(tmp_path / "trust", {"PK": [DIGEST]})], allow_simulator=True)
    assert judge(replace(case, anchors=anchors), policy=PERMIT).statement.members[CLAIM] is True


def test_lists_of_several_directories_add_up(tmp_path):
    first, second = write(tmp_path / "a", {"PK": ["00" * 32]}), write(tmp_path / "b", {"PK": [DIGEST], "db": []})
    anchors = read_anchors([first, second / "secure_boot_keys.json"], allow_simulator=True)
    assert anchors.secure_boot_keys == {"PK": ("00" * 32, DIGEST), "db": ()}


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{", {"PK": "no array"}, {"PK": [5]}, {"PK": ["short"]}, {"PK": [DIGEST.upper()]}, {"MOK": [DIGEST]}],
)
def test_a_file_that_is_no_such_list_is_not_passed_over(tmp_path, content):
    with pytest.raises(ConfigurationError):
        read_anchors([write(tmp_path / "trust", content)], allow_simulator=False)


def test_a_directory_without_anything_to_trust_is_still_refused(tmp_path):
    (tmp_path / "notes.json").write_text("{}")
    with pytest.raises(ConfigurationError):
        read_anchors([tmp_path], allow_simulator=False)
