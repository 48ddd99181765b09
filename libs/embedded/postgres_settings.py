"""How our PostgreSQL is tuned: a helpdesk's load on a machine it shares with its services."""

from collections.abc import Iterator, Mapping

DURABLE = {
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
}
# for tests that kill no PostgreSQL: with it go the commits of its last half second
FAST = dict.fromkeys(DURABLE, "off")

SETTINGS = {
    "shared_buffers": "128MB",
    "max_connections": "200",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "random_page_cost": "1.1",
    "jit": "off",
    "max_wal_size": "2GB",
    "min_wal_size": "128MB",
    "checkpoint_timeout": "10min",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %u@%d ",
    "log_checkpoints": "off",
    "password_encryption": "scram-sha-256",
    # one forgotten transaction holds back vacuum and every relay's horizon
    "idle_in_transaction_session_timeout": "60s",
}


def arguments(settings: Mapping[str, str]) -> Iterator[str]:
    """The same as command-line arguments of `postgres`."""
    for name, value in settings.items():
        yield from ("-c", f"{name}={value}")
