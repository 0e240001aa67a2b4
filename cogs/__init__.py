"""What people see of the bot in Discord: commands, buttons, events.

Thin: read the options, call one verb, say the result. Nothing is decided here. Who may do something is asked again at
each command and each button. Each is handed what it uses, here.
"""

from bot.app import App
from bot.discord.buttons import PressedButton
from bot.discord.client import PledgekeeperBot
from cogs.admin.believe import BelieveCommands
from cogs.admin.campaigns import CampaignCommands
from cogs.admin.group import Answers, patreon_group
from cogs.admin.holds import HoldCommands
from cogs.admin.ledger import LedgerCommands
from cogs.admin.people import PeopleCommands
from cogs.admin.rules import RuleCommands
from cogs.admin.runs import RunCommands
from cogs.admin.settings import SettingsCommands
from cogs.events import EventsCog
from cogs.link import LinkCog
from cogs.membership import MembershipCog


async def add_cogs(bot: PledgekeeperBot, app: App) -> None:
    """Give a client that is about to connect its commands, buttons and events."""
    answers = Answers(app.notifier)
    believe = BelieveCommands(answers=answers, acceptance=app.acceptance)
    campaigns = CampaignCommands(
        answers=answers, connecting=app.connecting, disconnector=app.disconnector, rulebook=app.rulebook
    )
    holds = HoldCommands(answers=answers, holds=app.holds, reconciler=app.reconciler, rulebook=app.rulebook)
    ledger = LedgerCommands(answers=answers, adoption=app.adoption)
    people = PeopleCommands(
        answers=answers, reconciler=app.reconciler, reported_links=app.reported_links, unlinker=app.unlinker
    )
    rules = RuleCommands(answers=answers, rulebook=app.rulebook, reconciler=app.reconciler)
    runs = RunCommands(answers=answers, rounds=app.rounds, reconciler=app.reconciler)
    settings = SettingsCommands(answers=answers, editor=app.settings_editor)
    link = LinkCog(flow=app.linking, patron_link=app.patron_link, unlinker=app.unlinker)
    membership = MembershipCog(overviews=app.overviews, refresh=app.refresh)
    events = EventsCog(bot, observer=app.observer, breakers=app.breakers, reconciler=app.reconciler)
    for cog in (link, membership, events):
        await bot.add_cog(cog)
    bot.tree.add_command(patreon_group([believe, campaigns, holds, ledger, people, rules, runs, settings]))
    bot.add_dynamic_items(PressedButton)
    bot.button_handlers |= {
        "confirm:adopt": ledger.confirm_adopt,
        "confirm:believe": believe.confirm_believe,
        "confirm:disconnect": campaigns.confirm_disconnect,
        "confirm:rule": rules.confirm_rule,
        "confirm:unlink": link.confirm_unlink,
        "confirm:unlink-member": people.confirm_unlink_member,
        "hold:apply": holds.apply_hold,
        "hold:discard": holds.discard_hold,
        "refresh:membership": membership.refresh,
    }
