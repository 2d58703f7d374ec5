"""Vendor documents that were verified, kept over restarts; the newest of each stays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import RowMapping, Select, and_, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from assay.endorsements.documents import Document, DocumentKind, Need
from assay.store.tables import documents
from assay.store.transactions import is_sqlite

if TYPE_CHECKING:
    from datetime import datetime

    from assay.store.engine import Store

# What stands for `Need.number` None, and for a missing evaluation number in comparisons.
_NO_NUMBER: Final = -1
_KEY: Final = tuple(documents.primary_key.columns)


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A document with what decides whether it is current; its validity is the verification's to judge."""

    need: Need
    document: Document
    issue_date: datetime
    next_update: datetime
    evaluation_number: int | None
    fetched_at: datetime


class SqlDocumentStore:
    """The documents of a store: public ones (owner ''), and those that a provider imported for itself.

    An owner sees exactly its own: which of the two to prefer is the caller's decision. Only verified documents belong
    here, or a forgery with a late date would keep the true ones out.
    """

    def __init__(self, store: Store) -> None:
        self._store: Final = store

    def load(self, need: Need, owner: str = "") -> StoredDocument | None:
        """The document, a new object at each call, or None when none was saved."""
        wanted = _of_owner(owner).where(
            documents.c.kind == need.kind.value,
            documents.c.tee == need.tee,
            documents.c.platform == need.platform,
            documents.c.number == _column_number(need),
        )
        with self._store.reading() as connection:
            row = connection.execute(wanted).mappings().first()
        return None if row is None else _read(row)

    def load_all(self, owner: str = "") -> tuple[StoredDocument, ...]:
        """Every document of an owner, of the kinds that this version knows."""
        known = documents.c.kind.in_([kind.value for kind in DocumentKind])
        with self._store.reading() as connection:
            rows = connection.execute(_of_owner(owner).where(known).order_by(*_KEY)).mappings().all()
        return tuple(_read(row) for row in rows)

    def save(
        self,
        need: Need,
        document: Document,
        *,
        issue_date: datetime,
        next_update: datetime,
        evaluation_number: int | None,
        fetched_at: datetime,
        owner: str = "",
    ) -> bool:
        """Keeps a document, durably when this returns; False when an equally new or newer one is there (CO-12).

        Newer is the one with the higher evaluation number, then the later issue date: the two evaluation numbers that
        a vendor serves at a time are issued independently, so their dates say nothing about each other.
        """
        insert = sqlite.insert if is_sqlite(self._store.engine) else postgresql.insert
        offered = insert(documents).values(
            owner=owner,
            kind=need.kind.value,
            tee=need.tee,
            platform=need.platform,
            number=_column_number(need),
            body=document.body,
            issuer_chain=document.issuer_chain,
            origin=document.origin,
            issue_date=issue_date,
            next_update=next_update,
            evaluation_number=evaluation_number,
            fetched_at=fetched_at,
        )
        replacing = _replace_older(offered)
        with self._store.writing() as connection:
            # Without the option the count of an INSERT is undefined in SQLAlchemy.
            return connection.execute(replacing.execution_options(preserve_rowcount=True)).rowcount == 1


def _replace_older(offered: sqlite.Insert | postgresql.Insert) -> sqlite.Insert | postgresql.Insert:
    """One statement, so that of two writers the newer document stays whatever their order."""
    new = offered.excluded
    new_number = func.coalesce(new.evaluation_number, _NO_NUMBER)
    kept_number = func.coalesce(documents.c.evaluation_number, _NO_NUMBER)
    is_newer = or_(
        new_number > kept_number,
        and_(new_number == kept_number, new.issue_date > documents.c.issue_date),
    )
    return offered.on_conflict_do_update(
        index_elements=_KEY,
        set_={column.name: new[column.name] for column in documents.columns if column not in _KEY},
        where=is_newer,
    )


def _of_owner(owner: str) -> Select[tuple[object, ...]]:
    return select(documents).where(documents.c.owner == owner)


def _column_number(need: Need) -> int:
    return _NO_NUMBER if need.number is None else need.number


def _read(stored: RowMapping) -> StoredDocument:
    kind = DocumentKind(stored["kind"])
    number = None if stored["number"] == _NO_NUMBER else stored["number"]
    return StoredDocument(
        need=Need(kind, stored["tee"], stored["platform"], number),
        document=Document(kind, stored["body"], stored["issuer_chain"], stored["origin"]),
        issue_date=stored["issue_date"],
        next_update=stored["next_update"],
        evaluation_number=stored["evaluation_number"],
        fetched_at=stored["fetched_at"],
    )
