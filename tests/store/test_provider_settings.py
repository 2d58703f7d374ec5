"""The settings of a provider as JSON: what is written is read, anything else is refused."""

from __future__ import annotations

import json

import pytest

from assay.store import ProviderSettings, TrustModel
from assay.store.provider_settings import decode_settings, encode_settings

EVERYTHING = ProviderSettings(
    trust_model=TrustModel.ISOLATED,
    base_url="https://contoso.example",
    location="East US",
    subscription="00000000-0000-0000-0000-000000000001",
    resource_group="group",
    tags={"owner": "é", "": ""},
    public_network_access=False,
    tpm_authentication=False,
    token_lifetime=5,
    algorithm="ES256",
    accepted_tcb=("UpToDate", "SWHardeningNeeded"),
    allow_debug=False,
    strict=True,
    platform_rules={"ppids": {"allow": ["00" * 16]}, "highestVmpl": 0, "allowMigration": False},
    allow_policy_replay=True,
)


@pytest.mark.parametrize(
    "settings",
    [
        ProviderSettings(),
        EVERYTHING,
        ProviderSettings(trust_model=TrustModel.SHARED),
        ProviderSettings(accepted_tcb=()),
    ],
)
def test_what_is_written_is_read(settings: ProviderSettings) -> None:
    stored = json.loads(json.dumps(encode_settings(settings)))
    assert decode_settings(stored) == settings


def test_defaults_are_not_written() -> None:
    assert encode_settings(ProviderSettings()) == {}
    assert encode_settings(ProviderSettings(strict=False, token_lifetime=1)) == {"strict": False, "token_lifetime": 1}
    assert encode_settings(EVERYTHING)["trust_model"] == "Isolated"


@pytest.mark.parametrize(
    "stored",
    [
        None,
        [],
        "text",
        {"trust": "AAD"},
        {"trust_model": "aad"},
        {"platform_rules": []},
        {"trust_model": None},
        {"trust_model": "Isolated", "added_by_a_newer_version": 1},
    ],
)
def test_anything_else_is_refused(stored: object) -> None:
    """A setting that is not understood may have been a restriction."""
    with pytest.raises(ValueError, match=r".+"):
        decode_settings(stored)
