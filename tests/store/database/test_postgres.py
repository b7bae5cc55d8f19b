"""A Postgres that falls silent without a word: given up in time, and used again once it answers."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from sqlalchemy.engine import URL, make_url

from monitor.core.errors import DatabaseError
from monitor.store.database.engine import open_database

pytestmark = pytest.mark.postgres


class Line:
    """A way to a server that can be cut so that neither side hears of it."""

    def __init__(self, url: URL) -> None:
        self._url = url
        self._open = threading.Event()
        self._open.set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Let nothing through any more."""
        self._open.clear()

    def mend(self) -> None:
        """Let everything through again, what was held back too."""
        self._open.set()

    def close(self) -> None:
        """End it."""
        self.mend()
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = self._dial()
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self._pass_on, args=(one, other), daemon=True).start()

    def _dial(self) -> socket.socket:
        host = self._url.host or self._url.query.get("host") or "localhost"
        port = self._url.port or 5432
        if not str(host).startswith("/"):
            return socket.create_connection((str(host), port))
        far = socket.socket(socket.AF_UNIX)
        far.connect(f"{host}/.s.PGSQL.{port}")
        return far

    def _pass_on(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError), one, other:
            while data := one.recv(65536):
                self._open.wait()
                other.sendall(data)


@pytest.fixture
def line(new_url: Callable[..., str]) -> Iterator[tuple[Line, str]]:
    """A way to a fresh database, and the address of its near end."""
    url = make_url(new_url("postgres"))
    made = Line(url)
    near = url.set(host="127.0.0.1", port=made.port, query={})
    yield made, near.render_as_string(hide_password=False)
    made.close()


def test_a_server_that_falls_silent_is_given_up(line: tuple[Line, str]) -> None:
    """Reading and writing fail with a sentence in place of waiting for ever; afterwards both work again."""
    way, url = line
    database = open_database(url, statement_s=0.3)
    with database.read() as tx:
        tx.exec_driver_sql("SELECT 1")
    way.cut()
    for begin in (database.read, database.write):
        with pytest.raises(DatabaseError, match=r"(does not answer|cannot be reached): "), begin() as tx:
            tx.exec_driver_sql("SELECT 1")
    way.mend()
    for begin in (database.read, database.write):
        with begin() as tx:
            assert tx.exec_driver_sql("SELECT 1").scalar() == 1
    database.dispose()


def test_silence_in_mid_transaction_stores_nothing(line: tuple[Line, str]) -> None:
    """What was begun is undone, and said to be."""
    way, url = line
    database = open_database(url, statement_s=0.3)
    with database.write() as tx:
        tx.exec_driver_sql("CREATE TABLE things (name text)")

    def store_two() -> None:
        with database.write() as tx:
            tx.exec_driver_sql("INSERT INTO things VALUES ('one')")
            way.cut()
            tx.exec_driver_sql("INSERT INTO things VALUES ('two')")

    with pytest.raises(DatabaseError, match="does not answer: "):
        store_two()
    way.mend()
    with database.read() as tx:
        assert tx.exec_driver_sql("SELECT count(*) FROM things").scalar() == 0
    database.dispose()


def test_a_long_statement_of_the_service_is_ended_and_one_of_a_command_is_not(
    new_url: Callable[..., str],
) -> None:
    """Commands that rebuild everything may take their time."""
    url = new_url("postgres")
    service, command = open_database(url, statement_s=0.2), open_database(url)
    with pytest.raises(DatabaseError, match="does not answer: "), service.read() as tx:
        tx.exec_driver_sql("SELECT pg_sleep(0.5)")
    with command.read() as tx:
        tx.exec_driver_sql("SELECT pg_sleep(0.5)")
    service.dispose()
    command.dispose()
