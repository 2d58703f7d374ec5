"""Administration from the command line against a running service: providers, policies, signers, import, audit."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.administrators import PERMIT_ALL, PolicySigningKey, policy_hash_of, signer
from tests.cli.command_line import CommandLine, Ended
from tests.service.material import DENY, PERMIT, SGX, claims_of, sgx_body
from tests.service.running import Running

ALICE, BOB = signer("alice"), signer("bob")


@dataclass(frozen=True)
class Operator:
    """The command line of somebody with the development tokens."""

    run: CommandLine
    service: Running
    folder: Path

    def __call__(self, *arguments: object, at: str = "", role: str = "operator", code: int = 0) -> Ended:
        token = self.service.state_dir / "dev" / f"{role}.token"
        where = ("--url", f"{self.service.url}{at}", "--ca", self.service.ca, "--token-file", token)
        ended = self.run(*arguments, *where)
        assert ended.code == code, (ended.out, ended.err)
        return ended

    def file(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text)
        return path

    def keys(self, who: PolicySigningKey) -> tuple[object, ...]:
        key, certificate = self.file("signer.key", who.key_pem), self.file("signer.pem", who.certificate_pem)
        return ("--signer-key", key, "--signer-certificate", certificate)

    def history(self, at: str) -> list[dict[str, Any]]:
        versions: list[dict[str, Any]] = self("policy", "history", "SgxEnclave", "--json", at=at).json["versions"]
        return versions


@pytest.fixture
def operator(capsys: pytest.CaptureFixture[str], service: Running, tmp_path: Path) -> Operator:
    return Operator(CommandLine(capsys), service, tmp_path)


def attested(service: Running, at: str) -> dict[str, Any]:
    with service.client() as client:
        return claims_of(client.post(f"{at}{SGX}", json=sgx_body()))


def test_the_life_of_a_provider(operator: Operator, service: Running) -> None:
    at = "/provider/commands"
    operator("provider", "create", "commands", "--algorithm", "ES256", "--token-lifetime", "5")
    assert "commands" in operator("provider", "list").out
    policy = operator.file("permit.policy", PERMIT)
    operator("policy", "set", "SgxEnclave", policy, at=at, role="contributor")
    claims = attested(service, at)
    assert (claims["drafted"], claims["exp"] - claims["iat"]) == (True, 300)
    assert operator("policy", "get", "SgxEnclave", at=at, role="reader").out.strip() == PERMIT
    operator("policy", "set", "SgxEnclave", operator.file("deny.policy", DENY), at=at, role="contributor")
    operator("policy", "rollback", "SgxEnclave", "1", at=at, role="contributor")
    assert attested(service, at)["x-ms-policy-hash"] == policy_hash_of(PERMIT)
    operator("policy", "reset", "SgxEnclave", at=at, role="contributor")
    assert [each["action"] for each in operator.history(at)] == ["set", "set", "rollback", "reset"]
    operator("provider", "set", "commands", "--strict")
    assert json.loads(operator("provider", "show", "commands").out)["properties"]["assay"]["strict"] is True
    operator("provider", "delete", "commands", "--yes")
    with service.client() as client:
        assert client.post(f"{at}{SGX}", json=sgx_body()).status_code == 404


def test_refusals_end_with_2_and_say_why(operator: Operator) -> None:
    policy = operator.file("permit.policy", PERMIT)
    assert "Unauthorized" in operator("policy", "set", "SgxEnclave", policy, role="reader", code=2).err
    operator("provider", "create", "mine", role="contributor", code=2)
    broken = operator.file("broken.policy", "version=1.0;\n[")
    assert "PolicyParsingError" in operator("policy", "set", "SgxEnclave", broken, code=2).err


def test_an_isolated_provider_by_its_signers(operator: Operator, service: Running) -> None:
    at = "/provider/sealed"
    operator(
        "provider",
        "create",
        "sealed",
        "--algorithm",
        "ES256",
        "--signer",
        operator.file("a.pem", ALICE.certificate_pem),
    )
    policy = operator.file("permit.policy", PERMIT)
    operator("policy", "set", "SgxEnclave", policy, at=at, code=2)
    operator("policy", "set", "SgxEnclave", policy, *operator.keys(ALICE), at=at)
    assert attested(service, at)["x-ms-policy-signer"]["x5c"] == ALICE.x5c
    operator("policy", "set", "SgxEnclave", policy, *operator.keys(BOB), at=at, code=2)
    bob = operator.file("b.pem", BOB.certificate_pem)
    operator("signer", "add", bob, *operator.keys(ALICE), at=at)
    operator("policy", "set", "SgxEnclave", operator.file("deny.policy", DENY), *operator.keys(BOB), at=at)
    assert "version 1" in operator("policy", "set", "SgxEnclave", policy, *operator.keys(ALICE), at=at, code=2).err
    operator("signer", "remove", operator.file("a.pem", ALICE.certificate_pem), *operator.keys(BOB), at=at)
    listed = operator("signer", "list", at=at, role="reader").out
    assert BOB.thumbprint in listed
    assert ALICE.thumbprint not in listed


def test_a_live_provider_is_imported_once(operator: Operator, service: Running) -> None:
    """Its policy was signed by somebody who is no signer any more; here too it is in force, and no other way."""
    source, copy = "/provider/source", "/provider/copy"
    operator(
        "provider",
        "create",
        "source",
        "--algorithm",
        "ES256",
        "--signer",
        operator.file("a.pem", ALICE.certificate_pem),
    )
    policy = operator.file("permit.policy", PERMIT)
    operator("policy", "set", "SgxEnclave", policy, *operator.keys(ALICE), at=source)
    operator("signer", "add", operator.file("b.pem", BOB.certificate_pem), *operator.keys(ALICE), at=source)
    operator("signer", "remove", operator.file("a.pem", ALICE.certificate_pem), *operator.keys(BOB), at=source)
    reader = service.state_dir / "dev" / "reader.token"
    theirs = ("--from-token-file", reader, "--from-ca", service.ca)
    operator("provider", "import", f"{service.url}{source}", "--name", "copy", *theirs)
    claims = attested(service, copy)
    assert claims["iss"] == f"{service.url}{copy}"
    assert claims["x-ms-policy-signer"]["x5c"] == ALICE.x5c
    assert [each["action"] for each in operator.history(copy)] == ["import"]
    assert BOB.thumbprint in operator("signer", "list", at=copy).out
    operator("provider", "import", f"{service.url}{source}", "--name", "copy", *theirs, code=2)
    bearer = (service.state_dir / "dev" / "operator.token").read_text()
    with service.client() as client:
        address = f"{copy}/policies/SgxEnclave?api-version=2020-10-01&import=true"
        for text in (PERMIT, PERMIT_ALL):
            sent = client.put(address, content=ALICE.policy(text), headers={"Authorization": f"Bearer {bearer}"})
            assert sent.status_code == 400, sent.text


def test_the_audit_has_it_all_and_is_proven(operator: Operator, service: Running) -> None:
    at = "/provider/audited"
    operator("provider", "create", "audited", "--algorithm", "ES256")
    operator("policy", "set", "SgxEnclave", operator.file("permit.policy", PERMIT), at=at)
    claims = attested(service, at)
    where = ("--state-dir", service.state_dir)
    shown = operator.run("audit", "show", *where, "--provider", "audited", "--json").out.splitlines()
    records = {record["operation"]: record for record in map(json.loads, shown)}
    assert records["SetPolicy"]["policy"] == claims["x-ms-policy-hash"]
    assert records["AttestSgxEnclave"]["token"] == claims["jti"]
    assert operator.run("audit", "verify", *where).code == 0
