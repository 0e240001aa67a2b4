"""`python run.py migrate`: the steps that bring a database to this version, those before a new version and those after.

What may run when stands with each step (`bot/storage/migrations`); who is running is for the operator to know.
"""

from bot.domain.steps import Extent, Upgrade
from bot.ops.ownership import stopping_at_a_bot
from bot.storage.database import Database


async def migrate(url: str, *, before: bool, after: bool) -> Upgrade:
    """Run the steps of one stage, or all where neither or both are asked for."""
    extent = Extent.ALL if before == after else Extent.BEFORE if before else Extent.AFTER
    with stopping_at_a_bot():
        return await Database.migrate(url, extent)
