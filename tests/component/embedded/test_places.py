"""Long paths, closed homes, unreadable wheels: the folder may be anywhere."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from libs.embedded.data_folder import DataFolder
from libs.embedded.errors import CannotRun
from libs.embedded.postgres_binaries import PostgresBinaries, wheel_binaries
from libs.embedded.postgres_server import PostgresServer

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has a home that PostgreSQL's user cannot enter")


@pytest.fixture
def closed(place: Path) -> Path:
    """A folder as root's home often is."""
    home = place / "home"
    home.mkdir(mode=0o700)
    return home


@pytest.fixture
def away(place: Path) -> Path:
    return place / "away"


def test_a_path_too_long_for_a_socket_gets_a_short_one(place: Path) -> None:
    with DataFolder.claim(place / ("deep/" * 20) / "data") as folder:
        postgres = PostgresServer(folder)
        postgres.start()
        first = postgres.url_of("postgres")
        assert len(str(postgres.socket_folder / ".s.PGSQL.5432")) <= 107
        postgres.kill()
        postgres.restart()
        assert postgres.url_of("postgres") == first
        postgres.stop()
        assert not postgres.socket_folder.exists()


@as_root
def test_a_closed_home_keeps_a_link_to_where_postgresql_can_live(closed: Path, away: Path) -> None:
    with DataFolder.claim(closed / "data") as folder:
        postgres = PostgresServer(folder, away=away)
        postgres.start()
        postgres.execute("CREATE TABLE kept ()")
        postgres.stop()
    with DataFolder.claim(closed / "data") as folder:
        assert folder.postgres.readlink().parent == away
        postgres = PostgresServer(folder, away=away)
        postgres.start()
        assert postgres.execute("SELECT count(*) FROM kept") == "0"
        postgres.stop()


@as_root
def test_a_home_that_was_closed_later_is_an_error_that_names_the_way_out(place: Path) -> None:
    with DataFolder.claim(place / "home" / "data") as folder:
        postgres = PostgresServer(folder)
        postgres.start()
        postgres.stop()
        (place / "home").chmod(0o700)
        with pytest.raises(CannotRun, match=r"cannot reach .*chmod o\+x"):
            postgres.start()


@as_root
def test_a_link_to_nowhere_is_an_error_not_an_empty_database(closed: Path, away: Path) -> None:
    with DataFolder.claim(closed / "data") as folder:
        postgres = PostgresServer(folder, away=away)
        postgres.start()
        postgres.stop()
        shutil.rmtree(away)
        with pytest.raises(CannotRun, match="is gone"):
            postgres.start()


@as_root
def test_a_wheel_below_a_closed_home_is_copied(closed: Path, folder: DataFolder) -> None:
    unreadable = _wheel_copied_to(closed)
    for _ in range(2):
        postgres = PostgresServer(folder, binaries=unreadable)
        postgres.start()
        program = Path(f"/proc/{postgres.pid}/exe").readlink()
        assert program.is_relative_to(folder.path)
        postgres.stop()


@as_root
def test_a_cluster_made_by_an_ordinary_user_runs_as_that_user_under_root(folder: DataFolder) -> None:
    folder.postgres.mkdir(mode=0o700)
    os.chown(folder.postgres, 1, 1)
    postgres = PostgresServer(folder)
    postgres.start()
    assert Path(f"/proc/{postgres.pid}").stat().st_uid == 1
    postgres.stop()


def _wheel_copied_to(home: Path) -> PostgresBinaries:
    wheel = wheel_binaries()
    package = wheel.root.parent
    shutil.copytree(wheel.root, home / package.name / wheel.root.name)
    shutil.copytree(package.with_name(f"{package.name}.libs"), home / f"{package.name}.libs")
    return PostgresBinaries(home / package.name / wheel.root.name, wheel.major)


@pytest.fixture(autouse=True)
def _no_socket_left_behind() -> Iterator[None]:
    before = _short_sockets()
    yield
    assert _short_sockets() <= before


def _short_sockets() -> set[Path]:
    return set(Path("/tmp").glob("signalbox-????????????????"))
