from datetime import UTC, datetime

from bot.domain.model import GuildId
from bot.domain.restored import OldPair, RestoreReport
from bot.texts.backup import say_backup, say_restore
from bot.texts.catalogs import ENGLISH
from bot.texts.renderer import Medium, Renderer

PLAIN = Renderer(ENGLISH, Medium.PLAIN)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_a_backup_is_said_with_what_it_needs_one_day() -> None:
    said = say_backup(PLAIN, "/data/copy.db", links=12, roles=30, dropped=0)
    assert said.splitlines() == [
        "Wrote /data/copy.db and checked it: 12 linked people, 30 roles. Only this user may read it.",
        "It opens only with the keys in ENCRYPTION_KEYS: keep those in another place.",
    ]


def test_it_says_how_many_older_ones_went() -> None:
    assert "Deleted 1 older backup, as --keep says." in say_backup(PLAIN, "x", links=1, roles=1, dropped=1)
    assert "Deleted 3 older backups, as --keep says." in say_backup(PLAIN, "x", links=1, roles=1, dropped=3)


def test_a_restore_without_a_trace_is_said_in_two_lines() -> None:
    said = say_restore(PLAIN, RestoreReport(taken_at=None))
    assert len(said.splitlines()) == 2
    assert said.startswith("The restored database is ready.\nNow start the bot.")


def test_a_restore_says_what_became_of_the_rest_and_what_to_look_after() -> None:
    report = RestoreReport(
        taken_at=NOON,
        kept_as="/data/old.db",
        unlinked=2,
        disowned=1,
        comps=3,
        old_pairs=(
            OldPair(campaigns=("Moth Tales", "Owl Post"), guild_ids=(GuildId(900),), is_of_settings=False),
            OldPair(campaigns=(), guild_ids=(), is_of_settings=True),
        ),
        old_consents=4,
        revoked=1,
    )
    said = say_restore(PLAIN, report)
    assert said.startswith("Restored the backup of 1 March 2026, 12:00 UTC.")
    for part in (
        "kept as /data/old.db",
        "2 people have unlinked since, and stay unlinked.",
        "1 API token or webhook has been revoked since, and stays revoked.",
        "I no longer manage 1 role,",
        "3 comps now end in a week",
        "access to Moth Tales and Owl Post. If the log channel says so, run /patreon connect again in server 900.",
        "the creator's tokens (for no campaign yet)",
        "own access of 4 patrons",
    ):
        assert part in said
