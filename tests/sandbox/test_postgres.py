"""A PostgreSQL of our own is quick, and keeps what was committed all the same."""

import signal

from tests.fakes.postgres import serve_postgres


def test_what_was_committed_outlives_a_crash() -> None:
    with serve_postgres() as server:
        server.execute("CREATE TABLE rows (n INT)")
        for number in range(5):
            server.execute(f"INSERT INTO rows VALUES ({number})")
            server.stop(signal.SIGQUIT)
            server.start()
            server.execute(f"DO $$ BEGIN ASSERT (SELECT COUNT(*) FROM rows) = {number + 1}; END $$")
