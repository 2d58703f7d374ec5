"""A guest whose virtual TPM is a real implementation: quoted, certified, attested, and the answer opened in the TPM."""

from __future__ import annotations

import asyncio
import base64
import json
import subprocess

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from assay.client.sealed_answer import open_answer
from assay.errors import TokenRejected
from assay.formats import base64url
from assay.formats.jws import parse_jws
from assay.simulator.tpm.boots import linux_boot
from assay.simulator.tpm.certificates import AIK_FORM, mint_tpm_certificate
from assay.simulator.tpm.event_log import LogForm, encode_log
from assay.simulator.tpm.structures import SHA256
from tests.service.in_process import application, development
from tests.service.software_tpm import AK_ATTRIBUTES, ENCRYPTION_ATTRIBUTES, has_tools, software_tpm

pytestmark = [
    pytest.mark.optional("swtpm"),
    pytest.mark.skipif(not has_tools(), reason="swtpm and tpm2-tools are needed"),
]
PCRS = tuple(range(8))
SELECTION = f"sha256:{','.join(map(str, PCRS))}"
EVENTS = linux_boot()


def b64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def extend(tpm, events):
    for event in events:
        digest = event.digests((SHA256,)).get(SHA256)
        if digest is not None and event.kind != 3:
            tpm.run("tpm2_pcrextend", f"{event.pcr}:sha256={digest.hex()}")


def make_attestation_key(tpm):
    key = ("-G", "rsa2048:rsassa-sha256:null", "-g", "sha256", "-a", AK_ATTRIBUTES)
    tpm.run("tpm2_createprimary", "-C", "e", *key, "-c", "ak.ctx")
    tpm.run("tpm2_readpublic", "-c", "ak.ctx", "-f", "tss", "-o", "ak.pub")
    tpm.run("tpm2_readpublic", "-c", "ak.ctx", "-f", "pem", "-o", "ak.pem")


def make_encryption_key(tpm):
    """Usable in the present state of the PCRs only, as the official client makes it."""
    tpm.session(SELECTION, trial=True)
    tpm.end_session()
    key = ("-G", "rsa2048:rsaes:null", "-g", "sha256", "-a", ENCRYPTION_ATTRIBUTES, "-L", "policy.bin")
    tpm.run("tpm2_createprimary", "-C", "o", *key, "-c", "enc.ctx")
    tpm.run("tpm2_readpublic", "-c", "enc.ctx", "-f", "tss", "-o", "enc.pub")


def attestation_info(tpm, events=EVENTS):
    tpm.run(
        "tpm2_certify", "-c", "enc.ctx", "-C", "ak.ctx", "-g", "sha256", "-o", "c.msg", "-s", "c.sig", "-f", "plain"
    )
    quote = ("-l", SELECTION, "-g", "sha256", "-m", "q.msg", "-s", "q.sig", "-f", "plain")
    tpm.run("tpm2_quote", "-c", "ak.ctx", *quote)
    tpm.run("tpm2_pcrread", SELECTION, "-o", "pcrs.bin")
    values = tpm.read("pcrs.bin")
    public = load_pem_public_key(tpm.read("ak.pem"))
    assert isinstance(public, rsa.RSAPublicKey)
    members = {
        "AttestationProtocolVersion": "2.0",
        "ClientPayload": {"nonce": b64(b"the relying party's")},
        "IsolationInfo": {"Type": "TrustedLaunch"},
        "OSBuild": b64(b"NotApplication"),
        "OSDistro": b64(b"Debian"),
        "OSType": b64(b"Linux"),
        "OSVersionMajor": 12,
        "OSVersionMinor": 0,
        "TcgLogs": b64(encode_log(events, LogForm((SHA256,)))),
        "TpmInfo": {
            "AikCert": b64(mint_tpm_certificate(public, AIK_FORM)),
            "AikPub": b64(tpm.read("ak.pub")),
            "PCRs": [{"Index": pcr, "Digest": b64(values[32 * pcr : 32 * pcr + 32])} for pcr in PCRS],
            "PcrSet": list(PCRS),
            "PcrQuote": b64(tpm.read("q.msg")),
            "PcrSignature": b64(tpm.read("q.sig")),
            "EncKeyPub": b64(tpm.read("enc.pub")),
            "EncKeyCertifyInfo": b64(tpm.read("c.msg")),
            "EncKeyCertifyInfoSignature": b64(tpm.read("c.sig")),
        },
    }
    return json.dumps(members).encode()


def attest(settings, *evidence):
    async def run():
        async with application(settings) as running:
            path = "/attest/AzureGuest?api-version=2020-10-01"
            bodies = ({"AttestationInfo": base64url.encode(one)} for one in evidence)
            return [await running.client.post(path, json=body) for body in bodies]

    return asyncio.run(run())


def decrypt_in(tpm):
    """TPM2_RSA_Decrypt with RSAES, authorised by the policy of the PCRs."""

    def decrypt(sealed: bytes) -> bytes:
        (tpm.folder / "inner.sealed").write_bytes(sealed)
        tpm.session(SELECTION, trial=False)
        try:
            authorised = ("-p", "session:session.ctx", "-s", "rsaes", "-o", "inner.bin")
            tpm.run("tpm2_rsadecrypt", "-c", "enc.ctx", *authorised, "inner.sealed")
        except subprocess.CalledProcessError as error:
            raise ValueError("the TPM refuses") from error
        finally:
            tpm.end_session()
        return tpm.read("inner.bin")

    return decrypt


def test_a_guest_of_a_software_tpm_is_attested_and_only_its_tpm_in_its_state_opens_the_answer(tmp_path):
    settings = development(tmp_path / "state", ())
    with software_tpm(tmp_path) as tpm:
        extend(tpm, EVENTS)
        make_attestation_key(tpm)
        make_encryption_key(tpm)
        good = attestation_info(tpm)
        cut = attestation_info(tpm, EVENTS[:-5])
        accepted, refused = attest(settings, good, cut)
        assert accepted.status_code == 200, accepted.text
        assert [d["target"] for d in refused.json()["error"]["details"] if d["outcome"] == "failed"] == ["log.replay"]
        sealed = accepted.json()["token"]
        payload = json.loads(parse_jws(open_answer(sealed, decrypt_in(tpm))).payload)
        assert payload["x-ms-azurevm-attested-pcrs"] == list(PCRS)
        assert payload["secureboot"] is True
        tpm.run("tpm2_pcrextend", f"7:sha256={'ab' * 32}")
        with pytest.raises(TokenRejected):
            open_answer(sealed, decrypt_in(tpm))
        # The key is bound to the state that is gone: a new quote no longer goes with it.
        (late,) = attest(settings, attestation_info(tpm))
        failed = [d["target"] for d in late.json()["error"]["details"] if d["outcome"] == "failed"]
        assert failed == ["encryption_key.policy"]
