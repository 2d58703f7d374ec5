"""Mutated files of every kind: an answer each time, never a bug."""

from __future__ import annotations

import contextlib
import random
import warnings

import pytest

from assay.cli.decoding import Unknown, decode_anything
from assay.cli.files import HeldDataFiles
from assay.cli.judgement import Judge, judge_content
from assay.client.relying_party import verify_token
from assay.endorsements.anchors import trust_anchors
from assay.errors import TokenRejected
from assay.evidence import EVIDENCE_TYPES
from assay.evidence.base import Grounds
from assay.formats.key_set import parse_key_set
from tests.cli.conftest import AT
from tests.client.issuer import ISSUER, KEY_SET, token

ROUNDS = 150


def mutate(chance: random.Random, content: bytes) -> bytes:
    changed = bytearray(content)
    for _ in range(chance.choice([1, 2, 8])):
        place = chance.randrange(len(changed) + 1)
        match chance.randrange(4):
            case 0:
                changed[place : place + 1] = bytes([chance.randrange(256)])
            case 1:
                del changed[place : place + chance.randrange(1, 40)]
            case 2:
                changed[place : place + 4] = chance.choice([b"\xff" * 4, bytes(4), b"{{{{", b'""""'])
            case _:
                changed[place:place] = content[place : place + 50]
    return bytes(changed)


@pytest.fixture(autouse=True)
def _library_warnings():
    with warnings.catch_warnings():
        # cryptography warns about names that break X.520's lengths; the command line silences that too.
        warnings.simplefilter("ignore")
        yield


@pytest.mark.parametrize(
    "name", ["quote.bin", "collateral/tcb_info.json", "collateral/pck_crl.der", "collateral/tcb_signing_chain.pem"]
)
def test_mutated_files_are_decoded_or_unknown(sgx, name):
    chance = random.Random(name)
    content = (sgx / name).read_bytes()
    for _ in range(ROUNDS):
        with contextlib.suppress(Unknown):
            decode_anything(mutate(chance, content))


@pytest.mark.parametrize("kind", EVIDENCE_TYPES, ids=lambda kind: kind.name)
def test_mutated_evidence_is_judged(sgx, kind):
    chance = random.Random(kind.name)
    judge = Judge(kind, Grounds(AT, trust_anchors(allow_simulator=True)), None, None, HeldDataFiles())
    content = (sgx / "quote.bin").read_bytes()
    assert all(judge_content(judge, "f", mutate(chance, content)).exit_code in (1, 2) for _ in range(ROUNDS))


def test_mutated_tokens_are_refused():
    chance = random.Random(1)
    keys, good = parse_key_set(KEY_SET), token()
    for _ in range(ROUNDS):
        changed = mutate(chance, good.encode()).decode("latin-1")
        if changed != good:
            with pytest.raises(TokenRejected):
                verify_token(changed, issuer=ISSUER, keys=keys, at=AT)
