"""Section e: the whole attestation without HTTP, from the octets of a request to the signed token."""

from __future__ import annotations

import asyncio
import secrets
import tempfile
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from assay import clock
from assay.appraise import appraise, parse_evidence
from assay.client.protocol import encode_submission
from assay.collateral import Collector, DirectorySource
from assay.endorsements.anchors import trust_anchors
from assay.evidence import POLICY_TYPES
from assay.evidence.base import Grounds, Submission
from assay.formats import strict_json
from assay.policy import stored_policy
from assay.result.payload import Envelope, encode_payload
from assay.result.token import Signer, sign_token
from assay.service.signing import LocalSigner
from assay.store import (
    DEFAULT_PROVIDER,
    SealingKey,
    current_signing_key,
    default_database_url,
    ensure_signing_key,
    load_signing_keys,
    open_store,
)
from bench.measure import interleaved
from bench.report import Line, Target, ratio_line, time_line
from bench.subjects import AT, KIND, arrange, each_in_turn, quotes_of_one_platform
from bench.verification import QUOTES, p256_verify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ISSUER: Final = "https://localhost:8443"


def attestation() -> tuple[Line, ...]:
    """(e) Every call another quote of a known platform."""
    case = arrange()
    bodies = [encode_submission(KIND, Submission(quote)) for quote in quotes_of_one_platform(QUOTES)]
    with tempfile.TemporaryDirectory() as folder, _signer(Path(folder)) as signer:
        case.simulated.collateral.write(Path(folder) / "collateral")
        anchors = trust_anchors(allow_simulator=True)
        collector = Collector(anchors, directories=DirectorySource((Path(folder) / "collateral",), anchors))
        grounds = Grounds(AT, anchors)
        attest = _line(collector, grounds, signer)
        message = attest(bodies[0]).rpartition(".")[0].encode("ascii")
        found = interleaved(
            {
                "verify": p256_verify(case),
                "sign": lambda: signer.sign(message),
                "attest": each_in_turn(bodies, attest),
            },
            5,
        )
    bound = found["verify"] + found["sign"]
    return (
        time_line("P-256 verify + RSA-2048 sign", bound),
        ratio_line("octets of a request to a signed token, without HTTP", found["attest"], bound, Target(1.35)),
    )


def _line(collector: Collector, grounds: Grounds, signer: Signer) -> Callable[[bytes], str]:
    """The straight line as `service/attest.py` draws it, from the body on."""
    default = POLICY_TYPES[KIND.name].default_policy
    assert default is not None
    policy = stored_policy(default)

    def attest(body: bytes) -> str:
        members = {name.lower(): value for name, value in strict_json.decode_object(body).items()}
        submission = KIND.decode(members)
        evidence = parse_evidence(KIND, submission)
        configured = replace(grounds, configuration=policy.configuration)
        needs = KIND.needs(evidence, configured)
        collected = collector.recall(needs, grounds.at)
        if collected is None:
            collected = asyncio.run(collector.collect(needs, grounds.at))
        result = appraise(KIND, evidence, submission, replace(configured, endorsements=collected), policy)
        envelope = Envelope(ISSUER, clock.now(), secrets.token_hex(32), timedelta(hours=8))
        return sign_token(encode_payload(result, envelope), signer, ISSUER)

    return attest


@contextmanager
def _signer(folder: Path) -> Iterator[LocalSigner]:
    """The signer of a new provider, as the service makes it."""
    sealing = SealingKey.from_text(SealingKey.generate_text())
    with open_store(default_database_url(folder)) as store:
        ensure_signing_key(store, DEFAULT_PROVIDER, ISSUER, "RS256", sealing, at=datetime.now(UTC))
        yield LocalSigner(current_signing_key(load_signing_keys(store, DEFAULT_PROVIDER, sealing), "RS256"))
