"""Opens a database and brings its schema up to date; the only errors that leave are ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from harness.errors import DatabaseError

MIGRATIONS = Path(__file__).parent / "migrations"
LOCK = 7_205_137
"""Which advisory lock of PostgreSQL keeps two controllers from migrating at once."""
FILE = "hvcert.sqlite"


def default_url(results: Path) -> str:
    """Return the database beside the runs: a file of SQLite."""
    return f"sqlite:///{(results / FILE).absolute()}"


@contextmanager
def opened(url: str) -> Iterator[Connection]:
    """Yield a connection in a transaction, the schema up to date; raise DatabaseError for trouble.

    ``url`` is SQLAlchemy's: ``sqlite:///FILE`` or ``postgresql+psycopg://USER@HOST/NAME``; a
    password belongs into the client's own places (``PGPASSWORD``, ``~/.pgpass``).
    """
    where = _shown(url)
    try:
        engine = _engine(_url(url))
        try:
            with engine.begin() as connection:
                _migrate(connection, where)
                yield connection
        finally:
            engine.dispose()
    except SQLAlchemyError as broken:
        cause = getattr(broken, "orig", None) or broken
        said = str(cause).strip().splitlines()[0] if str(cause).strip() else type(cause).__name__
        raise DatabaseError(where, said) from broken


def revisions() -> tuple[str, ...]:
    """Return the revisions that this release knows, the newest first."""
    script = ScriptDirectory.from_config(_config())
    return tuple(revision.revision for revision in script.walk_revisions())


def _engine(url: URL) -> Engine:
    if url.get_backend_name() != "sqlite":
        return create_engine(url)
    engine = create_engine(url, connect_args={"timeout": 30})
    event.listen(engine, "connect", lambda raw, _: raw.execute("PRAGMA foreign_keys=ON"))
    return engine


def _url(text_of: str) -> URL:
    try:
        url = make_url(text_of)
        return url.set(drivername="postgresql+psycopg") if url.drivername == "postgresql" else url
    except (ArgumentError, NoSuchModuleError, ValueError) as wrong:
        said = "this is no database URL"
        raise DatabaseError(_shown(text_of), said) from wrong


def _shown(url: str) -> str:
    """Return the URL without a password, or the mere fact where it cannot be read."""
    try:
        return make_url(url).render_as_string(hide_password=True)
    except (ArgumentError, ValueError):
        return "--database"


def _migrate(connection: Connection, where: str) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    known = revisions()
    there = MigrationContext.configure(connection).get_current_revision()
    if there == known[0]:
        return
    if there is not None and there not in known:
        said = f"its schema (revision {there}) is newer than this release knows ({known[0]})"
        raise DatabaseError(where, said, "update hvcert, or name another database")
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
