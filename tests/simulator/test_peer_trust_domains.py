"""What dcap-qvl says of the simulator's trust domains; every disagreement is argued from the vendor's text."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from assay.simulator import KNOBS, TDX_KNOBS, TDX_VARIANTS, Knob, simulate, simulate_tdx, tdx_recipe
from tests.attacks.table_tdx import NOT_OF_DOMAINS

from .peer import judge
from .test_peer import ACCEPTED_BY_PEER as ENCLAVES_ACCEPTED_BY_PEER
from .test_peer import REFUSED_STATUS

AT = datetime(2026, 3, 1, tzinfo=UTC)
BASE = tdx_recipe(AT, b'{"key":"value"}')

# Negatives that the peer accepts, each with the reason.
ACCEPTED_BY_PEER = {
    **{f"td-log-{what}": "event logs are not the peer's business" for what in ("event-other", "short", "empty")},
    **{f"td-log-{what}": "event logs are not the peer's business" for what in ("reordered", "cut", "of-a-tpm")},
    "td-outer-type-5": "does not read the outer type; Intel's parser knows certification data 6 only there",
    "td-module-attributes-published": "compares with the identity only; Intel's library asks for zero as well (step 9)",
    "td-module-identities-twice": "takes the first; a document that contradicts itself is none (CO-02)",
}
# What the peer asks for without being told, and Intel's library leaves to its caller (step 15): our rules.
REFUSED_BY_PEER_RULE = {"td-debug", "td-attribute-unknown", "td-sept-ve", "td-migratable", "td-service-td"}
# What it does not look at: the extended report's service TD, XFAM.
NOT_A_RULE_OF_PEER = {"td-service-td-ex", "td-features-unknown", "td-features-without-sse"}

IN_COMMON = [
    knob
    for knob in KNOBS
    if not (knob.enveloped or knob.rule or knob.name in NOT_OF_DOMAINS or knob.name in ENCLAVES_ACCEPTED_BY_PEER)
]
IN_COMMON = [knob for knob in IN_COMMON if knob.name != "chain-shuffled"]


def ids(knob: Knob) -> str:
    return knob.name


def assert_refused(knob: Knob) -> None:
    with pytest.raises(ValueError, match=r".+"):
        judge(knob.apply(BASE))


def test_the_default_quote_is_up_to_date() -> None:
    assert judge(simulate(BASE)) == judge(simulate_tdx(AT)) == "UpToDate"


@pytest.mark.parametrize("knob", [*IN_COMMON, *TDX_KNOBS], ids=ids)
def test_a_negative_is_judged_alike(knob: Knob) -> None:
    if knob.name in ACCEPTED_BY_PEER or knob.name in NOT_A_RULE_OF_PEER:
        assert judge(knob.apply(BASE)) == "UpToDate"
    elif knob.status and knob.status != REFUSED_STATUS:
        assert judge(knob.apply(BASE)) == knob.status
    else:
        assert_refused(knob)


def test_every_rule_of_ours_is_one_of_the_peers_or_listed() -> None:
    assert {knob.name for knob in TDX_KNOBS if knob.rule} == REFUSED_BY_PEER_RULE | NOT_A_RULE_OF_PEER


@pytest.mark.parametrize("knob", TDX_VARIANTS, ids=ids)
def test_a_variant_is_accepted(knob: Knob) -> None:
    assert judge(knob.apply(BASE)) == knob.status
