from sqlalchemy import text

from assay.store import SqlDocumentStore, open_store
from tests.store.processes import begin, line, numbered, running

ROUNDS = 5


def test_what_was_acknowledged_survives_a_kill(database_url: str):
    acknowledged: list[int] = []
    for index in range(ROUNDS):
        with running("write", database_url, str(index * 10_000)) as process:
            assert process.stdout is not None
            assert line(process) == "waiting"
            begin(process)
            acknowledged.extend(int(line(process)) for _ in range(20 + 7 * index))
            process.kill()
            # What it said before it died is acknowledged too.
            acknowledged.extend(int(said) for said in process.stdout.read().splitlines(keepends=True) if "\n" in said)
        with open_store(database_url) as store:
            documents = SqlDocumentStore(store)
            for number in acknowledged:
                need, document = numbered(number)
                found = documents.load(need)
                assert found is not None
                assert found.document.body == document.body
            if store.engine.dialect.name == "sqlite":
                with store.reading() as connection:
                    assert connection.execute(text("PRAGMA integrity_check")).scalar_one() == "ok"
    assert len(set(acknowledged)) == len(acknowledged) > 20 * ROUNDS
