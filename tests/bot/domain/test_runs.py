"""Which run an entry joins."""

from datetime import timedelta

import pytest

from bot.domain.audit_entry import AuditAction, AuditEntry
from bot.domain.changes import Trigger
from bot.domain.reasons import OldText
from bot.domain.runs import ADMINS_PAUSE, BY_ADMINS, PAUSE, begins, goes_on
from tests.fakes.world import GUILD, NEW_YEAR

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(("trigger", "pause"), [(Trigger.INTERVAL, PAUSE), (Trigger.SYNC, ADMINS_PAUSE)])
def test_a_run_goes_on_until_nothing_came_of_it_for_a_while(trigger: Trigger, pause: timedelta) -> None:
    assert goes_on(trigger, NEW_YEAR, NEW_YEAR + pause)
    assert not goes_on(trigger, NEW_YEAR, NEW_YEAR + pause + SECOND)


@pytest.mark.parametrize("action", AuditAction)
def test_what_an_admin_does_begins_a_run_and_what_follows_does_not(action: AuditAction) -> None:
    entry = AuditEntry(at=NEW_YEAR, guild_id=GUILD, action=action, reason=OldText(""), trigger=Trigger.SYNC)
    follows = {
        AuditAction.GRANT,
        AuditAction.REVOKE,
        AuditAction.FORGET,
        AuditAction.SPARE,
        AuditAction.EARNED_AGAIN,
        AuditAction.SUPPRESS,
        AuditAction.HOLD_AGAIN,
        AuditAction.UNKNOWN,
    }
    assert begins(entry) is (action not in follows)


def test_every_command_that_can_change_roles_is_an_admins() -> None:
    assert {one for one in Trigger if one.startswith("/patreon")} <= BY_ADMINS
