"""What an admin may set, and what follows."""

from typing import cast

import pytest

from bot.domain.audit_entry import AuditAction, SettingChanged
from bot.domain.changes import Trigger
from bot.domain.errors import Later, Mistake, TryLater, UserMistake
from bot.domain.model import DiscordUserId, GuildId, GuildSettings, HandEdits, Mode
from bot.storage import Storage
from bot.sync.admin.settings import SettingsEditor
from bot.sync.applying.reconcile import Reconciler
from tests.fakes.clock import StoppedClock

GUILD, ADMIN = GuildId(900), DiscordUserId(1)


class Planner:
    """Hears who is planned anew; `is_away` where Discord is."""

    def __init__(self) -> None:
        self.planned: list[tuple[GuildId, Trigger]] = []
        self.is_away = False

    async def consider(self, guild_id: GuildId, _: None, *, trigger: Trigger) -> None:
        if self.is_away:
            raise TryLater(Later.NOT_CONNECTED)
        self.planned.append((guild_id, trigger))


@pytest.fixture
def planner() -> Planner:
    return Planner()


@pytest.fixture
def editor(storage: Storage, planner: Planner, clock: StoppedClock) -> SettingsEditor:
    return SettingsEditor(storage=storage, reconciler=cast("Reconciler", planner), clock=clock)


async def test_what_changed_is_stored_named_and_in_the_audit(
    editor: SettingsEditor, storage: Storage, clock: StoppedClock
) -> None:
    edited = await editor.change(GUILD, {"grace_days": 3, "mode": "sync"}, by=ADMIN)
    assert edited.changed == ("grace_days",), "the mode is as it was"
    assert edited.settings == await storage.guilds.settings(GUILD) == GuildSettings(grace_days=3)
    (entry,) = await storage.audit.recent(GUILD)
    assert (entry.action, entry.at) == (AuditAction.SETTING, clock.now())
    assert entry.reason == SettingChanged(name="grace_days", before="7", after="3", by=ADMIN)


async def test_the_same_again_changes_nothing_and_leaves_no_row(editor: SettingsEditor, storage: Storage) -> None:
    for changed in (("grace_days",), ()):
        assert (await editor.change(GUILD, {"grace_days": 3}, by=ADMIN)).changed == changed
    assert len(await storage.audit.recent(GUILD)) == 1


@pytest.mark.parametrize(
    ("typed", "is_planned"),
    [
        ({"mode": Mode.GRANT_ONLY}, True),
        ({"grace_days": 3}, True),
        ({"hand_edits": HandEdits.ENFORCE}, True),
        ({"zero_link": False}, True),
        ({"brake_percent": 30}, False),
        ({"decline_dm": True}, False),
        ({"language": "de"}, False),
        ({"log_channel": 5}, False),
    ],
)
async def test_everybody_is_planned_anew_where_plans_may_change(
    editor: SettingsEditor, planner: Planner, typed: dict[str, object], is_planned: bool
) -> None:
    await editor.change(GUILD, typed, by=ADMIN)
    assert planner.planned == ([(GUILD, Trigger.SETTINGS)] if is_planned else [])


async def test_a_setting_is_kept_while_discord_is_away(
    editor: SettingsEditor, planner: Planner, storage: Storage
) -> None:
    planner.is_away = True
    await editor.change(GUILD, {"mode": "off"}, by=ADMIN)
    assert (await storage.guilds.settings(GUILD)).mode is Mode.OFF


async def test_a_log_channel_is_chosen_or_given_up_and_not_both(editor: SettingsEditor, storage: Storage) -> None:
    await editor.change(GUILD, {"log_channel": 5}, by=ADMIN)
    assert (await storage.guilds.settings(GUILD)).log_channel_id == 5
    with pytest.raises(UserMistake) as refused:
        await editor.change(GUILD, {"log_channel": 6, "no_log_channel": True}, by=ADMIN)
    assert refused.value.code is Mistake.LOG_CHANNEL_AND_NONE
    await editor.change(GUILD, {"no_log_channel": True}, by=ADMIN)
    assert (await storage.guilds.settings(GUILD)).log_channel_id is None


@pytest.mark.parametrize(
    ("wrong", "mistake", "facts"),
    [
        pytest.param({"grace_days": 61}, Mistake.SETTING_NO_NUMBER, {"low": 0, "high": 60}, id="grace"),
        pytest.param({"grace_days": -1}, Mistake.SETTING_NO_NUMBER, {"low": 0, "high": 60}, id="grace below nothing"),
        pytest.param({"brake_percent": 0}, Mistake.SETTING_NO_NUMBER, {"low": 1, "high": 100}, id="brake"),
        pytest.param(
            {"brake_percent": True},
            Mistake.SETTING_NO_NUMBER,
            {"low": 1, "high": 100},
            id="a switch where a number is wanted",
        ),
        pytest.param({"mode": "on"}, Mistake.SETTING_NO_WORD, {"known": ("sync", "grant_only", "off")}, id="mode"),
        pytest.param(
            {"hand_edits": "ignore"}, Mistake.SETTING_NO_WORD, {"known": ("respect", "enforce")}, id="hand edits"
        ),
        pytest.param({"zero_link": "yes"}, Mistake.SETTING_NO_SWITCH, {}, id="a word where a switch is wanted"),
        pytest.param({"no_log_channel": 1}, Mistake.SETTING_NO_SWITCH, {}, id="a number for no channel"),
        pytest.param(
            {"grace_days": 3, "mode": "on"}, Mistake.SETTING_NO_WORD, {"option": "mode"}, id="one right and one wrong"
        ),
    ],
)
async def test_a_wrong_value_is_refused_whatever_discord_let_through(
    editor: SettingsEditor, storage: Storage, wrong: dict[str, object], mistake: Mistake, facts: dict[str, object]
) -> None:
    with pytest.raises(UserMistake) as refused:
        await editor.change(GUILD, wrong, by=ADMIN)
    assert refused.value.code is mistake
    assert facts.items() <= refused.value.facts.items()
    assert refused.value.facts["option"] in wrong
    assert await storage.guilds.settings(GUILD) == GuildSettings()
