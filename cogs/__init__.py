"""What people see of the bot in Discord: commands, buttons, events.

Thin: read the options, call one verb, say the result. Nothing is decided here. Who may do something is asked again at
each command and each button. Each is handed what it uses, here and, for `/patreon …`, in `admin/group.py`.
"""

from bot.app import App
from bot.discord.buttons import PressedItem
from bot.discord.client import PledgekeeperBot
from cogs.admin.group import add_patreon_group
from cogs.events import EventsCog
from cogs.link import LinkCog
from cogs.membership import MembershipCog


async def add_cogs(bot: PledgekeeperBot, app: App) -> None:
    """Give a client that is about to connect its commands, buttons and events."""
    link = LinkCog(flow=app.linking, patron_link=app.patron_link, unlinker=app.unlinker)
    membership = MembershipCog(overviews=app.overviews, refresh=app.refresh)
    events = EventsCog(
        bot, observer=app.observer, breakers=app.breakers, reconciler=app.reconciler, greeter=app.greeter
    )
    for cog in (link, membership, events):
        await bot.add_cog(cog)
    add_patreon_group(bot, app)
    bot.add_dynamic_items(PressedItem)
    bot.button_handlers |= {"confirm:unlink": link.confirm_unlink, "refresh:membership": membership.refresh}
