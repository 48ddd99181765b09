"""What the tables of every role have in common."""

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import BigInteger, Date, DateTime, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Rows(DeclarativeBase):
    """Tables of one role; its schema is where the search path points."""

    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it once
        str: Text(),
        int: BigInteger(),
        date: Date(),
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB(),
        list[str]: ARRAY(Text()),
    }


class HeardRow(Rows):
    """The inbox: what was handled already."""

    __tablename__ = "heard"

    id: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str]
    heard_at: Mapped[datetime] = mapped_column(default=lambda: datetime.now(UTC))


class SaidRow(Rows):
    """What this role said, for its audit trail."""

    __tablename__ = "said"

    subject: Mapped[str] = mapped_column(primary_key=True)
    n: Mapped[int] = mapped_column(primary_key=True)
    type: Mapped[str]
    cause: Mapped[str | None]
    occurred_at: Mapped[datetime]
    data: Mapped[dict[str, Any]]
    ticket: Mapped[dict[str, Any] | None]
