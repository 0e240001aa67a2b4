"""The role rules of every guild, as admins gave them."""

from collections.abc import Collection
from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.changes import Trigger
from bot.domain.model import CampaignId, DiscordUserId, GuildId, RoleId, RoleRule, RuleId
from bot.storage.aggregate import Aggregate, transaction
from bot.storage.due import make_everyone_due
from bot.storage.rows import read_row, read_rows
from bot.storage.tables import role_rules


class Rules(Aggregate):
    """Every role rule."""

    @transaction
    async def add(
        self, connection: AsyncConnection, rule: RoleRule, *, created_by: DiscordUserId, at: datetime
    ) -> RoleRule:
        """Store a rule under a number of its own; where the guild has one that asks the same, that takes its days."""
        return await add_rule(connection, rule, created_by=created_by, at=at)

    @transaction
    async def edit(self, connection: AsyncConnection, rule: RoleRule) -> bool:
        """Change what a rule asks for, its role or its days; False where its guild has none of its number."""
        values = msgspec.structs.asdict(rule)
        mine = (role_rules.c.guild_id == values.pop("guild_id"), role_rules.c.rule_id == values.pop("rule_id"))
        statement = update(role_rules).where(*mine).values(**values).returning(role_rules.c.rule_id)
        if (await connection.execute(statement)).first() is None:
            return False
        await make_everyone_due(connection, [rule.guild_id], trigger=Trigger.RULE_EDITED)
        return True

    async def list_guild(self, guild_id: GuildId) -> tuple[RoleRule, ...]:
        """Return a guild's rules, the oldest first."""
        return (await self.list_guilds([guild_id]))[guild_id]

    async def list_guilds(self, guild_ids: Collection[GuildId]) -> dict[GuildId, tuple[RoleRule, ...]]:
        """Return the rules of several guilds."""
        return await self.kept.get_all(guild_ids, self._list_guilds)

    async def _list_guilds(self, guild_ids: list[GuildId]) -> dict[GuildId, tuple[RoleRule, ...]]:
        found: dict[GuildId, list[RoleRule]] = {guild_id: [] for guild_id in guild_ids}
        for rule in await self._list(role_rules.c.guild_id.in_(guild_ids)):
            found[rule.guild_id].append(rule)
        return {guild_id: tuple(rules) for guild_id, rules in found.items()}

    async def list_all(self) -> tuple[RoleRule, ...]:
        """Return every rule, the oldest first."""
        return await self._list()

    @transaction
    async def remove(self, connection: AsyncConnection, guild_id: GuildId, rule_id: RuleId) -> RoleRule | None:
        """Forget a rule of this guild; return it."""
        statement = delete(role_rules).where(role_rules.c.guild_id == guild_id, role_rules.c.rule_id == rule_id)
        row = (await connection.execute(statement.returning(role_rules))).first()
        if row is None:
            return None
        await make_everyone_due(connection, [guild_id], trigger=Trigger.RULE_REMOVED)
        return read_row(row, RoleRule)

    @transaction
    async def drop_role(self, connection: AsyncConnection, guild_id: GuildId, role_id: RoleId) -> tuple[RoleRule, ...]:
        """Forget the rules of a role that is gone; return them."""
        statement = delete(role_rules).where(role_rules.c.guild_id == guild_id, role_rules.c.role_id == role_id)
        rows = (await connection.execute(statement.returning(role_rules))).all()
        if rows:
            await make_everyone_due(connection, [guild_id], trigger=Trigger.ROLE_DELETED)
        return tuple(read_rows(rows, RoleRule))

    @transaction
    async def drop_campaign(
        self, connection: AsyncConnection, guild_id: GuildId, campaign_id: CampaignId
    ) -> tuple[RoleRule, ...]:
        """Forget a guild's rules of a campaign that it no longer follows; return them."""
        statement = delete(role_rules).where(role_rules.c.guild_id == guild_id, role_rules.c.campaign_id == campaign_id)
        rows = (await connection.execute(statement.returning(role_rules))).all()
        await make_everyone_due(connection, [guild_id], trigger=Trigger.DISCONNECT)
        return tuple(read_rows(rows, RoleRule))

    async def _list(self, *conditions: ColumnElement[bool]) -> tuple[RoleRule, ...]:
        query = select(role_rules).where(*conditions).order_by(role_rules.c.rule_id)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return tuple(read_rows(rows, RoleRule))


async def add_rule(connection: AsyncConnection, rule: RoleRule, *, created_by: DiscordUserId, at: datetime) -> RoleRule:
    """Do what `Rules.add` does, within a transaction."""
    asked = msgspec.structs.asdict(rule)
    del asked["rule_id"]
    same = select(role_rules).where(
        *(role_rules.c[name].is_not_distinct_from(value) for name, value in asked.items() if name != "keep_days")
    )
    add = insert(role_rules).values(**asked, created_by=created_by, created_at=at).returning(role_rules)
    known = (await connection.execute(same)).first()
    change = update(role_rules).values(keep_days=rule.keep_days).returning(role_rules)
    statement = add if known is None else change.where(role_rules.c.rule_id == known.rule_id)
    row = (await connection.execute(statement)).one()
    await make_everyone_due(connection, [rule.guild_id], trigger=Trigger.RULE_ADDED)
    return read_row(row, RoleRule)
