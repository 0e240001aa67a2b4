"""The column types that every table shares. They convert, and know no table and no meaning."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Dialect, Integer, Text
from sqlalchemy.types import TypeDecorator

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

# SQLite numbers rows by itself only in a column declared INTEGER.
ROW_ID = BigInteger().with_variant(Integer(), "sqlite")


class UtcTime(TypeDecorator[datetime]):
    """A moment, kept as whole microseconds since 1970: it sorts and compares alike in every database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002  SQLAlchemy's signature
        if value is None:
            return None
        return (value - EPOCH) // MICROSECOND  # a naive time fails here, loudly

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002  SQLAlchemy's signature
        return None if value is None else EPOCH + value * MICROSECOND


class EnumText(TypeDecorator[str]):
    """One word of an enum. The plain text is bound: drivers disagree about what an enum is."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002  SQLAlchemy's signature
        return None if value is None else str(value)


class Sealed(TypeDecorator[str]):
    """Text that the vault has sealed. The type marks the column, so that a change of keys misses none."""

    impl = Text
    cache_ok = True
