"""What people see of the bot in Discord: commands, buttons, events.

Thin: read the options, call one verb, say the result. Nothing is decided here. Who may do something is asked again at
each command and each button.
"""

from bot.discord.buttons import PressedButton
from bot.discord.client import PledgekeeperBot
from cogs.admin import patreon
from cogs.admin.believe import confirm_believe
from cogs.admin.campaigns import confirm_disconnect
from cogs.admin.holds import apply_hold, discard_hold
from cogs.admin.ledger import confirm_adopt
from cogs.admin.people import confirm_unlink_member
from cogs.admin.rules import confirm_rule
from cogs.link import LinkCog
from cogs.membership import MembershipCog
from cogs.sync import SyncCog


async def add_cogs(bot: PledgekeeperBot) -> None:
    """Give a client that is about to connect its commands, buttons and events."""
    bot.tree.add_command(patreon)
    bot.button_handlers |= {
        "confirm:adopt": confirm_adopt,
        "confirm:believe": confirm_believe,
        "confirm:disconnect": confirm_disconnect,
        "confirm:rule": confirm_rule,
        "confirm:unlink-member": confirm_unlink_member,
        "hold:apply": apply_hold,
        "hold:discard": discard_hold,
    }
    bot.add_dynamic_items(PressedButton)
    for cog in (LinkCog(bot), MembershipCog(bot), SyncCog(bot)):
        await bot.add_cog(cog)
