"""Between rows and values: a row becomes a struct by the names of its columns, and JSON stands in text."""

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Row, Table

from bot.domain.model import Secret, TokenPair
from bot.storage.vault import Vault

S = TypeVar("S")


def read_row(row: Row[*tuple[Any, ...]], into: type[S], *json_columns: str, table: Table | None = None) -> S:
    """Build a struct from the columns that bear its fields' names, of one table where the row holds several.

    Some of them hold JSON.
    """
    columns = columns_of(row, table)
    columns |= {name: msgspec.json.decode(columns[name]) for name in json_columns}
    return msgspec.convert(columns, into)


def read_rows(rows: Iterable[Row[*tuple[Any, ...]]], into: type[S], *json_columns: str) -> Iterator[S]:
    """Build a struct from each row of one query: what their columns are called is asked once."""
    names: tuple[str, ...] = ()
    for row in rows:
        names = names or _plain(tuple(row._mapping))  # noqa: SLF001  SQLAlchemy's public name for it
        columns: dict[str, Any] = dict(zip(names, row, strict=True))
        columns |= {name: msgspec.json.decode(columns[name]) for name in json_columns}
        yield msgspec.convert(columns, into)


def columns_of(row: Row[*tuple[Any, ...]], table: Table | None = None) -> dict[str, Any]:
    """Return a row by its columns' names; SQLAlchemy's own are a subclass of str, which msgspec does not take."""
    values = row._mapping  # noqa: SLF001  this too
    if table is None:
        return dict(zip(_plain(tuple(values)), row, strict=True))
    return {str(column.name): values[column] for column in table.c}


@cache
def _plain(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(map(str, names))


def to_json(value: object) -> str:
    """Write a struct, or plain data, as text."""
    return msgspec.json.encode(value).decode()


class SealedPair(msgspec.Struct, frozen=True, kw_only=True):
    """The two tokens of a pair, as they are sealed together: a pair is only ever replaced whole."""

    access_token: str
    refresh_token: str


def seal_pair(vault: Vault, pair: TokenPair) -> str:
    """Encrypt both tokens as one value."""
    bare = SealedPair(access_token=pair.access_token.reveal(), refresh_token=pair.refresh_token.reveal())
    return vault.seal(Secret(to_json(bare)))


def open_pair(vault: Vault, sealed: str, *, scopes: str, expires_at: Any) -> TokenPair:
    """Decrypt both tokens and join them with what stands beside them in the clear."""
    bare = msgspec.json.decode(vault.open(sealed).reveal(), type=SealedPair)
    return TokenPair(
        access_token=Secret(bare.access_token),
        refresh_token=Secret(bare.refresh_token),
        expires_at=expires_at,
        scopes=frozenset(scopes.split()),
    )


def join_scopes(pair: TokenPair) -> str:
    """Write a pair's scopes as one text."""
    return " ".join(sorted(pair.scopes))
