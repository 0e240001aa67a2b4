"""The tables of procrastinate, on PostgreSQL only: made by the SQL that the library itself brings, not by a copy of it.

Step 0012 runs its whole schema, as the installed version has it. A later version of the library that changes its tables
brings files for that (`SchemaManager.get_migrations_path()`): a step of ours runs those between the two, where they
were not in the schema that 0012 found. `NEWEST` fails a test until somebody has thought of it.
"""

from sqlalchemy import Connection

PREFIX = "procrastinate_"
NEWEST = "03.04.00_50_post_add_retry_failed_job_procedure.sql"  # of the library's own files, the last one we know

# Several statements at once, and percent signs that are no parameters.
_AS_IT_IS = {"no_parameters": True}


def is_library(table: str) -> bool:
    """Tell whether a table is the library's, which no step of ours and no `Table` describes."""
    return table.startswith(PREFIX)


def make_library(connection: Connection) -> None:
    """Make the library's tables, types and functions; nothing on SQLite, where no other process asks for anything."""
    if connection.dialect.name != "postgresql":
        return
    from procrastinate.schema import SchemaManager  # noqa: PLC0415  only where PostgreSQL is used

    connection.exec_driver_sql(SchemaManager.get_schema(), execution_options=_AS_IT_IS)


def drop_library(connection: Connection) -> None:
    """Drop all that `make_library` made: each with what hangs on it, so some of what is listed is gone by then."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(
            """
            DO $$
            DECLARE one text;
            BEGIN
                FOR one IN
                    SELECT format('TABLE IF EXISTS %I', tablename) FROM pg_tables
                        WHERE schemaname = current_schema() AND starts_with(tablename, 'procrastinate_')
                    UNION ALL SELECT 'ROUTINE IF EXISTS ' || oid::regprocedure FROM pg_proc
                        WHERE pronamespace = current_schema()::regnamespace AND starts_with(proname, 'procrastinate_')
                    UNION ALL SELECT format('TYPE IF EXISTS %I', typname) FROM pg_type
                        WHERE typnamespace = current_schema()::regnamespace AND starts_with(typname, 'procrastinate_')
                            AND (typrelid = 0 OR (SELECT relkind FROM pg_class WHERE oid = typrelid) = 'c')
                LOOP
                    EXECUTE 'DROP ' || one || ' CASCADE';
                END LOOP;
            END $$
            """,
            execution_options=_AS_IT_IS,
        )
