"""What a database holds, all at once, and what comes into it by longer ways: for tests, whose worlds are small."""

import asyncio
import contextlib
from datetime import datetime

from sqlalchemy import delete, select

from bot.domain.errors import DatabaseAway
from bot.domain.model import CampaignId, CredentialId, DiscordUserId, Link, MembershipRecord, PatreonUserId, TokenPair
from bot.storage import Storage
from bot.storage.credentials import FreshPair, put_pair
from bot.storage.rows import read_row
from bot.storage.tables import leases, links, memberships

PATIENCE = 40.0


async def load_campaign(storage: Storage, campaign_id: CampaignId) -> dict[PatreonUserId, MembershipRecord]:
    """Return everybody in a campaign."""
    query = select(memberships.c.patreon_user_id).where(memberships.c.campaign_id == campaign_id)
    async with storage.database.read() as connection:
        patrons = (await connection.execute(query)).scalars().all()
    return await storage.memberships.load_patrons(campaign_id, patrons)


async def list_links(storage: Storage) -> tuple[Link, ...]:
    """Return every link, the oldest first, those that ended too."""
    query = select(links).order_by(links.c.linked_at, links.c.discord_user_id)
    async with storage.database.read() as connection:
        return tuple(read_row(row, Link) for row in (await connection.execute(query)).all())


async def drop_link(storage: Storage, discord_user_id: DiscordUserId) -> None:
    """Forget a link, and nothing else."""
    async with storage.database.write() as connection:
        await connection.execute(delete(links).where(links.c.discord_user_id == discord_user_id))
    storage.links.kept.forget()


async def until_renewed(storage: Storage, name: str) -> None:
    """Wait until a lease has got a later end; while the database is away, on."""
    ends: set[int] = set()
    async with asyncio.timeout(PATIENCE):
        while len(ends) < 2:
            await asyncio.sleep(0.02)
            with contextlib.suppress(DatabaseAway):
                async with storage.database.read() as connection:
                    query = select(leases.c.until).where(leases.c.name == name)
                    ends.add((await connection.execute(query)).scalar_one())


async def save_consent(storage: Storage, patron: PatreonUserId, pair: TokenPair, *, at: datetime) -> CredentialId:
    """Store what a person's consent brought; `at`: before its exchange was sent."""
    fresh = FreshPair(pair=pair, asked_at=at)
    return await storage.database.transact(lambda connection: put_pair(connection, storage.vault, patron, fresh))
