from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from urllib.parse import quote

import pytest

from assay.collateral import Collector, DirectorySource
from assay.collateral.cache import Collected, DocumentStore
from assay.endorsements.documents import Document, Need
from assay.errors import EndorsementUnavailable
from assay.pki.certificate import parse_certificate
from assay.simulator import HIERARCHY, Documents, Recipe, TcbInfo, forge_hierarchy, simulate
from assay.simulator.intel.signed_json import EXPIRED
from tests.collateral.intel import (
    ANCHORS,
    AT,
    CERTIFICATE_OF_ROOT,
    IDENTITY,
    LIST_OF_ROOT,
    NEEDS,
    PCK_CRL,
    PCK_LIST,
    QE_IDENTITY,
    ROOT_CRL,
    ROOT_DER,
    ROOT_LIST,
    TCB,
    TCB_INFO,
    Answer,
    Clock,
    Intel,
    answers,
    collateral,
    collector,
    settings,
    simulated_collateral,
    write,
)


@pytest.fixture
def intel() -> Intel:
    return Intel(answers(simulated_collateral()))


def run(awaitable):
    return asyncio.run(awaitable)


class Stored:
    """A store of one table in memory, as `DocumentStore` says."""

    def __init__(self) -> None:
        self.rows: dict[Need, tuple[Document, tuple]] = {}
        self.loads = 0

    def put(self, need: Need, document: Document) -> None:
        self.rows[need] = (document, (-1, AT - timedelta(days=999)))

    def load(self, need, owner=""):
        self.loads += 1
        row = self.rows.get(need)
        return None if row is None else Row(need, row[0])

    def load_all(self, owner=""):
        return [Row(need, document) for need, (document, _) in self.rows.items()]

    def save(self, need, document, *, issue_date, next_update, evaluation_number, fetched_at, owner=""):
        age = (-1 if evaluation_number is None else evaluation_number, issue_date)
        if need in self.rows and self.rows[need][1] >= age:
            return False
        self.rows[need] = (document, age)
        return True


class Row:
    def __init__(self, need: Need, document: Document) -> None:
        self.need, self.document = need, document


def test_everything_is_fetched_once_and_recalled_as_the_same_object(intel):
    async def scenario():
        source = collector(intel)
        assert source.recall(NEEDS, AT) is None
        first = await source.collect(NEEDS, AT)
        assert first.reasons == {}
        assert all(first.find(need) is not None for need in NEEDS)
        asked = len(intel.asked)
        assert await source.collect(NEEDS, AT + timedelta(days=3)) is first
        assert source.recall(tuple(NEEDS), AT) is first
        assert len(intel.asked) == asked
        assert source.recall(NEEDS, AT + timedelta(days=30)) is None
        await source.close()

    run(scenario())


def test_other_needs_share_the_documents(intel):
    async def scenario():
        source = collector(intel)
        first = await source.collect(NEEDS, AT)
        second = await source.collect((ROOT_CRL, QE_IDENTITY), AT)
        assert second.find(ROOT_CRL) is first.find(ROOT_CRL)
        assert (intel.count(ROOT_LIST), intel.count(IDENTITY)) == (1, 1)

    run(scenario())


def test_equal_needs_recall_the_same_object_without_any_io(intel):
    async def scenario():
        source = collector(intel)
        collected = await source.collect(NEEDS, AT)
        asked = len(intel.asked)
        assert source.recall(tuple(replace(need) for need in NEEDS), AT) is collected
        assert len(intel.asked) == asked

    run(scenario())


def test_many_at_once_make_one_fetch(intel):
    async def scenario():
        source = collector(intel)
        collections = await asyncio.gather(*(source.collect(NEEDS, AT) for _ in range(50)))
        assert len({id(c.find(TCB_INFO)) for c in collections}) == 1

    run(scenario())
    assert (intel.count(TCB), intel.count(IDENTITY), intel.count(PCK_LIST)) == (1, 1, 2)  # the list names the root too


def poisoned(name: str) -> Answer:
    documents = simulated_collateral()
    forged = simulate(Recipe(AT, documents=Documents(hierarchy=forge_hierarchy()))).collateral
    expired = simulate(Recipe(AT, documents=Documents(tcb_info=TcbInfo(window=EXPIRED)))).collateral
    recipe = Recipe(AT)
    machine = replace(recipe.machine, platform=replace(recipe.machine.platform, fmspc="ffffffffffff"))
    other = simulate(replace(recipe, machine=machine)).collateral
    chain = (("TCB-Info-Issuer-Chain", quote(documents.tcb_signing_chain)),)
    edited = documents.tcb_info.replace(b"OutOfDate", b"UpToDate")
    assert edited != documents.tcb_info
    return {
        "html": Answer(b"<html>", headers=chain),
        "edited": Answer(edited, headers=chain),
        "forged": Answer(forged.tcb_info, headers=(("TCB-Info-Issuer-Chain", quote(forged.tcb_signing_chain)),)),
        "forged, good chain": Answer(forged.tcb_info, headers=chain),
        "other platform": Answer(other.tcb_info, headers=chain),
        "identity": Answer(documents.qe_identity, headers=chain),
        "expired": Answer(expired.tcb_info, headers=chain),
        "extra certificates": Answer(
            documents.tcb_info, headers=(("TCB-Info-Issuer-Chain", quote(documents.tcb_signing_chain * 2)),)
        ),
    }[name]


POISONS = (
    "html",
    "edited",
    "forged",
    "forged, good chain",
    "other platform",
    "identity",
    "expired",
    "extra certificates",
)


@pytest.mark.parametrize("name", POISONS)
def test_a_poisoned_answer_fails_all_who_wait_and_is_neither_remembered_nor_stored(intel, name):
    store, clock = Stored(), Clock()
    intel.first[TCB] = [poisoned(name)]

    async def scenario():
        source = collector(intel, store=store, monotonic=clock)
        for collected in await asyncio.gather(*(source.collect(NEEDS, AT) for _ in range(3))):
            assert collected.find(TCB_INFO) is None
            assert collected.reasons[TCB_INFO]
        assert intel.count(TCB) == 1
        assert TCB_INFO not in store.rows
        assert all(held.need != TCB_INFO for held in source.held)
        clock.seconds += 1000
        good = await source.collect(NEEDS, AT)
        assert good.reasons == {}
        assert TCB_INFO in store.rows

    run(scenario())


def test_a_genuine_document_of_another_platform_is_an_answer_to_another_question(intel):
    recipe = Recipe(AT)
    machine = replace(recipe.machine, platform=replace(recipe.machine.platform, fmspc="ffffffffffff"))
    intel.change(TCB, body=simulate(replace(recipe, machine=machine)).collateral.tcb_info)

    async def scenario():
        collected = await collector(intel).collect((TCB_INFO,), AT)
        assert "another question" in collected.reasons[TCB_INFO]

    run(scenario())


def test_a_number_must_be_the_one_that_was_asked_for(intel):
    async def scenario():
        collected = await collector(intel).collect((replace(TCB_INFO, number=18),), AT)
        assert "another question" in collected.reasons[replace(TCB_INFO, number=18)]

    run(scenario())


@pytest.mark.parametrize(
    "chain",
    [HIERARCHY.pck_ca_chain("platform"), HIERARCHY.tcb_signing_chain(), forge_hierarchy().pck_ca_chain("processor")],
)
def test_a_list_under_other_issuers_is_not_kept(intel, chain):
    intel.change(PCK_LIST, headers=(("SGX-PCK-CRL-Issuer-Chain", quote(chain)),))

    async def scenario():
        source = collector(intel, certificates_url="http://127.0.0.1:2")
        collected = await source.collect(NEEDS, AT)
        assert set(collected.reasons) == {PCK_CRL}
        assert PCK_CRL not in {held.need for held in source.held}

    run(scenario())


def test_a_platform_list_for_a_processor_need_is_not_kept(intel):
    recipe = Recipe(AT)
    machine = replace(recipe.machine, platform=replace(recipe.machine.platform, ca="platform"))
    other = simulate(replace(recipe, machine=machine)).collateral
    chain = (("SGX-PCK-CRL-Issuer-Chain", quote(other.pck_crl_issuer_chain)),)
    intel.good[PCK_LIST] = Answer(other.pck_crl, headers=chain)

    async def scenario():
        collected = await collector(intel, certificates_url="http://127.0.0.1:2").collect((PCK_CRL,), AT)
        assert "another question" in collected.reasons[PCK_CRL]

    run(scenario())


def test_a_reason_reaches_the_error_of_the_verification(intel):
    intel.good[TCB] = Answer(status=429, headers=(("Retry-After", "120"),))

    async def scenario():
        collected = await collector(intel).collect(NEEDS, AT)
        assert isinstance(collected, Collected)
        explained = collected.explain(EndorsementUnavailable((str(TCB_INFO),)))
        assert "HTTP 429" in explained.reason
        assert explained.retry_after == 120
        assert explained.documents == (str(TCB_INFO),)
        assert collected.explain(EndorsementUnavailable(("another",))).reason == ""

    run(scenario())


def test_a_failure_is_remembered_for_a_while_only(intel):
    clock = Clock()
    intel.good[TCB] = Answer(status=404)

    async def scenario():
        source = collector(intel, monotonic=clock)
        for seconds, asked in ((0, 1), (1, 1), (30, 1), (61, 2)):
            clock.seconds = seconds
            collected = await source.collect(NEEDS, AT)
            assert "404" in collected.reasons[TCB_INFO]
            assert intel.count(TCB) == asked

    run(scenario())


def test_an_incomplete_collection_is_recalled_for_a_while_only(intel):
    clock = Clock()
    intel.good[TCB] = Answer(status=404)

    async def scenario():
        source = collector(intel, monotonic=clock)
        collected = await source.collect(NEEDS, AT)
        assert source.recall(NEEDS, AT) is collected
        assert source.recall(NEEDS, AT + timedelta(hours=1)) is None
        clock.seconds = 20
        assert source.recall(NEEDS, AT) is None
        assert await source.collect(NEEDS, AT) is collected

    run(scenario())


def test_one_who_gives_up_does_not_take_the_others_along(intel):
    class Slow:
        kinds = frozenset({TCB_INFO.kind})

        def __init__(self) -> None:
            self.gate, self.begun, self.asked = asyncio.Event(), asyncio.Event(), 0

        async def fetch(self, need: Need) -> Document:
            self.asked += 1
            self.begun.set()
            await self.gate.wait()
            good = answers(simulated_collateral())[TCB]
            return Document(need.kind, good.body, simulated_collateral().tcb_signing_chain, "slow")

        async def close(self) -> None:
            pass

    async def scenario():
        service = Slow()
        source = Collector(ANCHORS, services=(service,), settings=settings())
        first = asyncio.create_task(source.collect((TCB_INFO,), AT))
        second = asyncio.create_task(source.collect((TCB_INFO,), AT))
        await service.begun.wait()
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        service.gate.set()
        assert (await second).find(TCB_INFO) is not None
        assert service.asked == 1

    run(scenario())


def test_fetches_at_once_are_bounded_and_the_queue_too():
    class Counting:
        kinds = frozenset({TCB_INFO.kind})

        def __init__(self) -> None:
            self.now = self.most = 0

        async def fetch(self, need: Need) -> Document:
            self.now += 1
            self.most = max(self.most, self.now)
            await asyncio.sleep(0)
            self.now -= 1
            raise EndorsementUnavailable((str(need),), reason="no")

        async def close(self) -> None:
            pass

    async def scenario():
        service = Counting()
        few = settings(concurrency=2, queue=3, strangers_per_minute=100)
        source = Collector(ANCHORS, services=(service,), settings=few)
        needs = [replace(TCB_INFO, platform=f"{i:012x}") for i in range(10)]
        collections = await asyncio.gather(*(source.collect((need,), AT) for need in needs))
        assert service.most == 2
        reasons = [c.reasons[need] for c, need in zip(collections, needs, strict=True)]
        assert reasons.count("too many fetches are under way") == 5
        assert {c.retry_after for c in collections} == {None, 1}

    run(scenario())


def test_unknown_platforms_are_asked_for_on_a_budget(intel):
    clock = Clock()
    intel.good[TCB] = Answer(status=404)
    needs = [replace(TCB_INFO, platform=f"{i:012x}") for i in range(8)]

    async def scenario():
        source = collector(intel, monotonic=clock, strangers_per_minute=2)
        for need in needs[:3]:
            collected = await source.collect((need,), AT)
        assert collected.retry_after == 30
        assert intel.count(TCB) == 2
        assert (await source.collect((QE_IDENTITY,), AT)).reasons == {}
        await source.collect((needs[3],), AT, certification_hint=parse_certificate(ROOT_DER))
        assert intel.count(TCB) == 3
        clock.seconds = 31
        await source.collect((needs[4],), AT)
        await source.collect((needs[5],), AT)
        assert intel.count(TCB) == 4

    run(scenario())


def test_invented_evaluation_numbers_are_asked_for_on_the_same_budget(intel):
    clock = Clock()
    intel.good[IDENTITY] = Answer(status=404)

    async def scenario():
        source = collector(intel, monotonic=clock, strangers_per_minute=2)
        for number in range(100, 105):
            await source.collect((replace(QE_IDENTITY, number=number),), AT)
        assert intel.count(IDENTITY) == 2

    run(scenario())


def test_a_newer_document_in_a_directory_comes_before_one_that_is_held(intel, tmp_path):
    directories = DirectorySource((tmp_path,), ANCHORS)

    async def scenario():
        source = collector(intel, directories=directories)
        first = await source.collect(NEEDS, AT)
        write(tmp_path / "newer", simulated_collateral(AT + timedelta(days=1)))
        later = AT + timedelta(days=1)
        assert await source.reload_directories()
        second = await source.collect(NEEDS, later)
        assert second.find(PCK_CRL) is directories.find(PCK_CRL, later)
        assert second.find(PCK_CRL) is not first.find(PCK_CRL)

    run(scenario())


def test_the_vendor_is_not_asked_about_platforms_of_another_root(intel):
    async def scenario():
        source = collector(intel)
        strange = tuple(replace(need, vouched=False) for need in NEEDS)
        collected = await source.collect(strange, AT)
        assert set(collected.reasons) == set(NEEDS)
        assert intel.asked == []
        assert (await source.collect(NEEDS, AT)).reasons == {}

    run(scenario())


def test_directories_come_before_the_vendor(intel, tmp_path):
    directories = DirectorySource((write(tmp_path, simulated_collateral()),), ANCHORS)

    async def scenario():
        source = collector(intel, directories=directories)
        collected = await source.collect(NEEDS, AT)
        assert all(collected.find(need) is directories.find(need, AT) for need in NEEDS)
        assert source.recall(NEEDS, AT) is collected

    run(scenario())
    assert intel.asked == []


def test_the_vendor_helps_out_where_a_directory_is_expired_or_wrong(intel, tmp_path):
    old = collateral(AT - timedelta(days=90))
    write(tmp_path, replace(old, pck_crl=old.pck_crl[:-1] + b"\x00"))

    async def scenario():
        source = collector(intel, directories=DirectorySource((tmp_path,), ANCHORS))
        collected = await source.collect(NEEDS, AT)
        assert collected.reasons == {}
        document = collected.find(TCB_INFO)
        assert document is not None
        assert document.origin == "127.0.0.1:1"

    run(scenario())


def test_without_the_vendor_the_misfit_of_the_directory_is_shown_with_the_reason(tmp_path):
    directories = DirectorySource((write(tmp_path, collateral(AT - timedelta(days=90))),), ANCHORS)

    async def scenario():
        source = Collector(ANCHORS, directories=directories)
        other = replace(TCB_INFO, platform="ffffffffffff")
        collected = await source.collect((TCB_INFO, other), AT)
        assert collected.find(TCB_INFO) is directories.find(TCB_INFO, AT)
        assert collected.find(other) is directories.find(TCB_INFO, AT)
        assert set(collected.reasons) == {TCB_INFO, other}

    run(scenario())


def test_a_reloaded_directory_is_used_at_once(tmp_path):
    directories = DirectorySource((write(tmp_path, collateral(number=17)),), ANCHORS)

    async def scenario():
        source = Collector(ANCHORS, directories=directories)
        first = await source.collect(NEEDS, AT)
        assert not await source.reload_directories()
        assert source.recall(NEEDS, AT) is first
        write(tmp_path / "newer", collateral(number=18))
        assert await source.reload_directories()
        second = await source.collect(NEEDS, AT)
        document = second.find(TCB_INFO)
        assert document is not None
        assert b'"tcbEvaluationDataNumber":18' in document.body

    run(scenario())


def test_a_restart_lives_from_the_store(intel):
    store = Stored()

    async def first():
        await collector(intel, store=store).collect(NEEDS, AT)

    async def second():
        source = collector(Intel({}), store=store)
        assert await source.warm(AT) == 4
        loads = store.loads
        assert (await source.collect(NEEDS, AT)).reasons == {}
        assert store.loads == loads

    async def third():
        source = collector(Intel({}), store=store)
        assert (await source.collect(NEEDS, AT)).reasons == {}

    run(first())
    run(second())
    run(third())
    assert set(store.rows) == set(NEEDS)


def test_what_was_tampered_with_in_the_store_is_not_used(intel):
    store = Stored()
    for need in NEEDS:
        store.put(need, Document(need.kind, b"{}", b"", "tampered"))

    async def scenario():
        source = collector(intel, store=store)
        assert await source.warm(AT) == 0
        assert (await source.collect(NEEDS, AT)).reasons == {}

    run(scenario())
    assert all(document.body != b"{}" for document, _ in store.rows.values())


def test_an_older_document_never_replaces_a_newer_that_is_valid(intel):
    clock = Clock()
    intel.good.update(answers(collateral(number=18)))

    async def scenario():
        source = collector(intel, monotonic=clock)
        newer = (await source.collect(NEEDS, AT)).find(TCB_INFO)
        late = AT + timedelta(days=28)
        intel.good.update(answers(collateral(late, number=17)))
        await source.refresh_due(late)
        assert (await source.collect(NEEDS, late)).find(TCB_INFO) is newer
        # A replay of an earlier issue of the same number.
        intel.good.update(answers(collateral(number=18, before=timedelta(days=2))))
        clock.seconds += 10_000
        await source.refresh_due(late)
        assert (await source.collect(NEEDS, late)).find(TCB_INFO) is newer

    run(scenario())


def test_documents_are_renewed_in_the_last_part_of_their_window(intel):
    clock = Clock()

    async def scenario():
        source = collector(intel, monotonic=clock)
        first = await source.collect(NEEDS, AT)
        asked = len(intel.asked)
        assert await source.refresh_due(AT + timedelta(days=20)) == type(await source.refresh_due(AT))((), ())
        assert len(intel.asked) == asked
        late = AT + timedelta(days=25)
        intel.good.update(answers(simulated_collateral(late)))
        refreshed = await source.refresh_due(late)
        assert set(refreshed.renewed) == set(NEEDS)
        assert refreshed.failed == ()
        second = await source.collect(NEEDS, late)
        assert second is not first
        assert source.recall(NEEDS, AT + timedelta(days=40)) is second

    run(scenario())


def test_what_cannot_be_renewed_is_kept_until_its_own_end(intel):
    clock = Clock()

    async def scenario():
        source = collector(intel, monotonic=clock)
        first = await source.collect(NEEDS, AT)
        for path in (TCB, IDENTITY, PCK_LIST, ROOT_LIST, LIST_OF_ROOT, CERTIFICATE_OF_ROOT):
            intel.good[path] = Answer(status=503)
        late = AT + timedelta(days=25)
        refreshed = await source.refresh_due(late)
        assert {need for need, why in refreshed.failed if "503" in why} == set(NEEDS)
        asked = len(intel.asked)
        assert await source.refresh_due(late) != refreshed
        assert len(intel.asked) == asked
        assert source.recall(NEEDS, AT + timedelta(days=29)) is first
        expired = await source.collect(NEEDS, AT + timedelta(days=29, seconds=1))
        assert set(expired.reasons) == set(NEEDS)
        assert all(expired.find(need) is None for need in NEEDS)

    run(scenario())


def test_renewing_takes_what_another_replica_stored(intel):
    store = Stored()

    async def scenario():
        source = collector(intel, store=store)
        await source.collect(NEEDS, AT)
        late = AT + timedelta(days=25)
        await collector(Intel(answers(simulated_collateral(late))), store=None).collect(NEEDS, late)
        other = collector(Intel(answers(simulated_collateral(late))), store=store)
        store.rows.clear()
        await other.collect(NEEDS, late)
        asked = len(intel.asked)
        assert set((await source.refresh_due(late)).renewed) == set(NEEDS)
        assert len(intel.asked) == asked

    run(scenario())


def test_closing_ends_what_is_under_way(intel):
    class Never:
        kinds = frozenset({TCB_INFO.kind})

        def __init__(self) -> None:
            self.begun = asyncio.Event()

        async def fetch(self, need: Need) -> Document:
            self.begun.set()
            await asyncio.Event().wait()
            raise AssertionError

        async def close(self) -> None:
            pass

    async def scenario():
        service = Never()
        source = Collector(ANCHORS, services=(service,), settings=settings())
        waiting = asyncio.create_task(source.collect((TCB_INFO,), AT))
        await service.begun.wait()
        await source.close()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    run(scenario())


def test_a_change_of_the_channel_takes_effect_at_once(intel):
    store = Stored()
    early, standard = Intel(answers(collateral(number=19))), Intel(answers(collateral(number=17)))

    async def number(source: Collector) -> bytes:
        await source.warm(AT)
        document = (await source.collect(NEEDS, AT)).find(TCB_INFO)
        assert document is not None
        return document.body.partition(b'"tcbEvaluationDataNumber":')[2][:2]

    async def scenario():
        assert await number(collector(early, store=store, channel="early")) == b"19"
        assert await number(collector(standard, store=store)) == b"17"
        assert await number(collector(early, store=store, channel="early")) == b"19"

    run(scenario())


def test_the_sql_store_is_a_document_store(intel, tmp_path):
    sql = pytest.importorskip("assay.store")

    async def scenario(kept: DocumentStore):
        assert (await collector(intel, store=kept).collect(NEEDS, AT)).reasons == {}
        source = collector(Intel({}), store=kept)
        assert await source.warm(AT) == 4
        assert (await source.collect(NEEDS, AT)).reasons == {}

    store = sql.open_store(f"sqlite:///{tmp_path / 'assay.db'}")
    try:
        run(scenario(sql.SqlDocumentStore(store)))
    finally:
        store.close()
