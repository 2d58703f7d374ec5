"""Every vector of Intel's TEEs through the service at its time (issues 2 and 4)."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from assay.formats import base64url
from assay.service.config import read_rules
from assay.store import open_store
from tests.appraisals import read_json
from tests.service.in_process import application, development
from tests.service.material import held_data, refusal_of, take_apart
from tests.service.running import running
from tests.shared_vectors import SHARED

pytestmark = pytest.mark.optional("shared")

ANY_STATUS = read_rules("any", strict=False, deny_debug=False)
OF_ANOTHER_ROOT = {"sgx-intel-qvl-sample-testpki", "tdx4-intel-qvl-sample-testpki"}
# Invalid only with the endorsements that came with it, which the service does not take from strangers: judged here
# with the genuine ones beside it.
DISJOINT = "oe-evidence-signal-disjoint-endorsements"
REFUSED_BY = {
    "attestation key binding (QE report data)": ("qe_report.binding",),
    "parsing (certification data size)": ("evidence.form",),
    "parsing (unsupported certification data type)": ("evidence.form",),
    "parsing": ("evidence.form",),
    "parsing (unsupported version)": ("evidence.form",),
    "collateral validity (nextUpdate / notAfter)": ("root_crl.validity", "pck_crl.validity", "tcb_info.validity"),
    "collateral validity (issueDate / notBefore)": ("root_crl.validity", "pck_crl.validity", "tcb_info.validity"),
    "PCK chain root of trust": ("pck_chain.root",),
    "QE report signature": ("qe_report.signature",),
    "PCK CRL issuer": ("pck_crl.issuer", "endorsements.available"),
    "QE identity signature": ("qe_identity.signature",),
    "QE identity id": ("qe_identity.tee", "endorsements.available"),
    "quote signature": ("quote.signature",),
    "root CRL signature": ("root_crl.signature",),
    "TCB signing chain root of trust": ("tcb_info_chain.trust", "qe_identity_chain.trust"),
    "TCB info FMSPC match": ("tcb_info.platform",),
    "TCB info signature (if the verifier checks the bytes received)": ("tcb_info.signature",),
    "TCB info signature": ("tcb_info.signature",),
    "QE vendor id / quote signature": ("quote.vendor_id", "quote.signature"),
}
FILES = (
    ("quote.bin", "SgxEnclave"),
    ("quote.dat", "SgxEnclave"),
    ("oe_report.bin", "OpenEnclave"),
    ("evidence.bin", "OpenEnclave"),
)
TDX_FILES = (("quote.bin", "TdxVm"), ("quote.dat", "TdxVm"), ("td_quote.bin", "TdxVm"))
TDX_FAMILIES = ("tdx-quote-v4", "tdx-quote-v5", "cvm-tdx")
NO_LEVEL = "none"


@pytest.fixture
def settings(tmp_path):
    """A database of its own: what another test left in the store would stand in for bad collateral."""
    return development(tmp_path / "state", (), rules=ANY_STATUS)


@dataclass(frozen=True)
class Vector:
    """Evidence of a folder, the folders that its collateral is in, and what its description says."""

    folder: Path
    file: Path
    kind: str
    base: Path

    @property
    def meta(self) -> dict[str, Any]:
        return read_json(self.folder / "meta.json")

    @property
    def at(self) -> datetime:
        text = self.meta["verify_at"].get("suggested")
        return datetime.fromisoformat(text) if text else datetime(2023, 1, 1, tzinfo=UTC)

    def has_collateral(self) -> bool:
        """Whether all that revocation needs is there; a few folders have no lists."""
        return all(
            (self.base / "collateral" / name).exists() for name in ("tcb_info.json", "pck_crl.der", "root_ca_crl.der")
        )

    def body(self) -> dict[str, Any]:
        member = "report" if self.kind == "OpenEnclave" else "quote"
        body: dict[str, Any] = {member: base64url.encode(self.file.read_bytes())}
        for name, data_type in (("runtime_data.bin", "Binary"), ("runtime_data.json", "JSON")):
            if (self.base / name).exists():
                body["runtimeData"] = held_data((self.base / name).read_bytes(), data_type)
        return body

    def lay_out(self, directory: Path) -> Path:
        """The collateral of the base with that of the vector over it."""
        directory.mkdir(exist_ok=True)
        for folder in (self.base, self.folder):
            if (folder / "collateral").is_dir():
                shutil.copytree(folder / "collateral", directory, dirs_exist_ok=True)
        return directory


def vectors() -> list[Vector]:
    found = []
    for family in ("sgx-quote", "oe-sgx", "ratls-cert", *TDX_FAMILIES, "negative"):
        for folder in sorted((SHARED / "evidence" / family).glob("*")):
            base = folder
            if family == "negative":
                origin = read_json(folder / "meta.json")["base"]
                assert isinstance(origin, dict)
                # The negatives of confidential machines change what only a TPM's quote binds.
                if origin["kind"] not in ("sgx-quote", "oe-sgx", "tdx-quote-v4", "tdx-quote-v5"):
                    continue
                base = SHARED / "evidence" / origin["kind"] / origin["id"]
            for name, kind in TDX_FILES if base.parent.name in TDX_FAMILIES else FILES:
                places = [place / name for place in (folder, base) if (place / name).is_file()]
                if places:
                    found.append(Vector(folder, places[0], kind, base))
    return found


def expected_status(meta: dict[str, Any]) -> str | None:
    stated = meta["expected"].get("tcb_status", "unstated")
    if stated == "TD relaunch advised":
        return "TDRelaunchAdvised"
    return stated if stated not in ("unstated", "n/a") else (meta.get("computed") or {}).get("tcb_status")


def refused_by(vector: Vector) -> tuple[str, ...]:
    step = vector.meta["expected"].get("failing_step")
    if step is not None:
        return REFUSED_BY[step]
    if vector.folder.name in OF_ANOTHER_ROOT:
        # Its quote names the platform only (type 1); with the chain beside it the root would be the one to fail.
        return ("pck_chain.root", "evidence.form")
    # Their own tests only say that they are refused.
    return ("evidence.form", "pck_chain.form", "pck_chain.signature", "pck_chain.root", "quote.signature")


def is_refused(vector: Vector) -> bool:
    name, verdict = vector.folder.name, vector.meta["expected"]["verdict"]
    if name == DISJOINT:
        return False
    return verdict == "invalid" or name in OF_ANOTHER_ROOT or "type3" in name


async def judge(settings, store, vector: Vector, directory: Path, status: str | None = None):
    rules = read_rules(status, strict=False, deny_debug=False) if status else ANY_STATUS
    collateral = (vector.lay_out(directory),)
    settings = replace(settings, collateral=collateral, unsafe_verify_at=vector.at, rules=rules)
    async with application(settings, store=store) as running_:
        return await running_.client.post(
            f"/attest/{vector.kind}?api-version=2020-10-01&explain=true", json=vector.body()
        )


def check(vector: Vector, response) -> None:
    if is_refused(vector):
        assert response.status_code != 200
        error = refusal_of(response, response.status_code, response.json()["error"]["code"])
        assert error["deciding"]["target"] in refused_by(vector), error["deciding"]
        assert response.status_code == (503 if error["deciding"]["outcome"] == "missing" else 400)
    elif not vector.has_collateral():
        error = refusal_of(response, 503, "EndorsementUnavailable")
        before = error["details"][: error["details"].index(error["deciding"])]
        assert {entry["outcome"] for entry in before} <= {"passed", "not applicable"}
    elif str(expected_status(vector.meta)).startswith(NO_LEVEL):
        error = refusal_of(response, 400, "InvalidParameter")
        assert error["deciding"]["target"] == "tcb.level"
    else:
        assert response.status_code == 200, response.text
        claims = take_apart(response.json()["token"]).payload
        fields = vector.meta["fields"]
        if "mrenclave" in fields:
            assert claims["x-ms-sgx-mrenclave"] == fields["mrenclave"]
        if "mrtd" in fields.get("body", {}):
            assert claims["tdx_mrtd"] == fields["body"]["mrtd"]
            assert claims["attester_tcb_status"] == expected_status(vector.meta)
        verdict = {entry["target"]: entry for entry in response.json()["verdict"]}
        assert verdict["tcb.status"]["observed"].split(" ")[0].strip("'\",") == expected_status(vector.meta)


def test_every_vector_is_judged_right_at_its_time(settings, tmp_path) -> None:
    found = vectors()
    assert len(found) > 50
    wrong = []

    async def scene() -> None:
        for index, vector in enumerate(found):
            store = open_store(settings.database_url)
            response = await judge(settings, store, vector, tmp_path / str(index))
            try:
                check(vector, response)
            except AssertionError as error:
                wrong.append(f"{vector.folder.name} {vector.file.name}: {str(error)[:700]}")

    asyncio.run(scene())
    assert wrong == [], "\n".join(wrong)


def test_the_status_that_a_vector_has_is_the_one_that_must_be_accepted(settings, tmp_path) -> None:
    """`--accept-tcb` with exactly its status accepts, with any other refuses."""
    name = "sgx-rkl-confswhardening-dcapqvl"
    (vector,) = [v for v in vectors() if v.folder.name == name and v.kind == "SgxEnclave"]

    async def scene() -> None:
        for status, accepted in (("ConfigurationAndSWHardeningNeeded", True), ("UpToDate,OutOfDate", False)):
            store = open_store(settings.database_url)
            response = await judge(settings, store, vector, tmp_path / "collateral", status)
            if accepted:
                assert response.status_code == 200
            else:
                error = refusal_of(response, 400, "InvalidParameter")
                assert error["deciding"]["target"] == "tcb.status"

    asyncio.run(scene())


@pytest.mark.parametrize("name", ["sgx-icx-steward-2022", "oe-report-azure-release", "neg-sgx-quote-signature-flipped"])
def test_some_vectors_over_tls(tmp_path, name: str) -> None:
    vector = next(v for v in vectors() if v.folder.name == name and (v.kind == "OpenEnclave" or "oe-" not in name))
    directory = vector.lay_out(tmp_path / "collateral")
    options = ("--dev", "--port", "0", "--offline", "--collateral", str(directory), "--accept-tcb", "any")
    path = f"/attest/{vector.kind}?api-version=2022-08-01&explain=true"
    at = ("--unsafe-verify-at", vector.at.isoformat())
    with running(tmp_path / "state", *options, *at) as service, service.client() as client:
        check(vector, client.post(path, json=vector.body()))
