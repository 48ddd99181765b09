"""How far new tickets were compared with earlier ones."""

from sqlalchemy import BigInteger, Column, MetaData, Table, Text

from libs.chassis.tables import Xid8

metadata = MetaData()

suspecting = Table(
    "suspecting",
    metadata,
    Column("name", Text(), primary_key=True),
    Column("xid", Xid8(), nullable=False),
    Column("id", BigInteger(), nullable=False),
)
"""Up to which fact of the log; one row."""
