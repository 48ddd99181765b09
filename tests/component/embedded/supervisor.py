"""A process that starts both servers on a folder, says their process ids as JSON and waits to be killed."""

import json
import signal
import sys
from pathlib import Path

from libs.embedded.data_folder import DataFolder
from libs.embedded.nats_config import NatsUser
from libs.embedded.nats_server import NatsServer
from libs.embedded.postgres_server import PostgresServer
from libs.embedded.server import start_both


def main(path: str) -> None:
    with DataFolder.claim(Path(path)) as folder:
        nats, postgres = NatsServer(folder, [NatsUser("admin")]), PostgresServer(folder)
        start_both(nats, postgres)
        postgres.execute("CREATE TABLE IF NOT EXISTS kept (word text)")
        postgres.execute("INSERT INTO kept VALUES ('kept')")
        print(json.dumps({"nats": nats.pid, "postgres": postgres.pid}), flush=True)
        signal.pause()


if __name__ == "__main__":
    main(sys.argv[1])
