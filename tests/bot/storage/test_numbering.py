"""The next number of a table can be moved on, and never goes back."""

from bot.storage import Storage
from bot.storage.numbering import NUMBERED, go_on_after, last_number
from bot.storage.tables import role_rules
from tests.fakes.filled import ADA, NOW, OTHER_ROLE, ROLE, campaign_of, populate, rule_of


async def test_the_next_row_gets_the_number_after_it(storage: Storage) -> None:
    await populate(storage)
    async with storage.database.write() as connection:
        assert await last_number(connection, role_rules) == 1
        await go_on_after(connection, role_rules, 1001)
        assert await last_number(connection, role_rules) == 1001
    rule = await storage.rules.add(rule_of(OTHER_ROLE, "t-silver"), created_by=ADA, at=NOW)
    assert rule.rule_id == 1002


async def test_a_number_counts_though_its_row_is_gone(storage: Storage) -> None:
    await storage.campaigns.save(campaign_of("Emberwood", "t-gold"))
    rule = await storage.rules.add(rule_of(ROLE), created_by=ADA, at=NOW)
    await storage.rules.remove(rule.guild_id, rule.rule_id)
    async with storage.database.read() as connection:
        assert await last_number(connection, role_rules) == rule.rule_id
        assert [await last_number(connection, table) for table in NUMBERED if table is not role_rules].count(0) > 5
