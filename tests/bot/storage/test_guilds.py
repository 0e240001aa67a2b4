import pytest

from bot.domain.model import ChannelId, GuildId, GuildSettings, HandEdits, Mode
from bot.storage import Storage

GUILD = GuildId(900)


async def test_a_guild_that_nobody_set_up_has_the_defaults(storage: Storage) -> None:
    assert await storage.guilds.settings(GUILD) == GuildSettings()


async def test_what_is_changed_stays_and_the_rest_is_left_alone(storage: Storage) -> None:
    await storage.guilds.change(GUILD, mode=Mode.OFF, log_channel_id=ChannelId(5), zero_link=False)
    changed = await storage.guilds.change(GUILD, hand_edits=HandEdits.ENFORCE, grace_days=0)
    expected = GuildSettings(
        mode=Mode.OFF, log_channel_id=ChannelId(5), zero_link=False, hand_edits=HandEdits.ENFORCE, grace_days=0
    )
    assert changed == expected
    assert await storage.guilds.settings(GUILD) == expected
    assert await storage.guilds.settings(GuildId(901)) == GuildSettings()


async def test_an_unknown_setting_is_refused(storage: Storage) -> None:
    with pytest.raises(TypeError):
        await storage.guilds.change(GUILD, grace_weeks=1)


async def test_what_a_guild_is_called_is_known_once_it_was_saved(storage: Storage) -> None:
    await storage.guilds.save_names({GUILD: "Emberwood", GuildId(901): "Foxglove"})
    await storage.guilds.save_names({GUILD: "Hollow"})
    await storage.guilds.save_names({})
    assert await storage.guilds.names([GUILD, GuildId(902)]) == {GUILD: "Hollow"}
