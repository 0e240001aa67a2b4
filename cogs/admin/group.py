"""The `/patreon` group: every subcommand, what each of them uses, and the buttons that go on with one.

A new subcommand is a file beside this one and three lines here. Who may use them is in `rights.py`.
"""

import discord
from discord import app_commands

from bot.app import App
from bot.discord.client import PledgekeeperBot
from bot.texts import commands as texts
from cogs.admin.answers import Answers
from cogs.admin.api import ApiCommands
from cogs.admin.audit import AuditCommands
from cogs.admin.believe import BelieveCommands
from cogs.admin.campaigns import CampaignCommands
from cogs.admin.comps import CompCommands
from cogs.admin.doctor import DoctorCommands
from cogs.admin.holds import HoldCommands
from cogs.admin.hooks import HookCommands
from cogs.admin.ledger import LedgerCommands
from cogs.admin.patrons import PatronCommands
from cogs.admin.people import PeopleCommands
from cogs.admin.rights import AdminGroup
from cogs.admin.rule_changes import RuleChangeCommands
from cogs.admin.rules import RuleCommands
from cogs.admin.settings import SettingsCommands
from cogs.admin.setup import SetupCommands
from cogs.admin.stats import StatsCommands
from cogs.admin.sync import SyncCommands


def add_patreon_group(bot: PledgekeeperBot, app: App) -> None:
    """Give a client that is about to connect the commands of admins, and the handlers of their buttons."""
    answers = Answers(app.notifier)
    api = ApiCommands(answers=answers, editor=app.token_editor)
    audit = AuditCommands(answers=answers, trail=app.trail, undo=app.undo, observer=app.observer)
    believe = BelieveCommands(answers=answers, acceptance=app.acceptance)
    campaigns = CampaignCommands(
        answers=answers, connecting=app.connecting, disconnector=app.disconnector, rulebook=app.rulebook
    )
    comps = CompCommands(answers=answers, editor=app.comp_editor)
    doctor = DoctorCommands(answers=answers, doctor=app.doctor)
    holds = HoldCommands(answers=answers, holds=app.holds, reconciler=app.reconciler, rulebook=app.rulebook)
    hooks = HookCommands(answers=answers, editor=app.hook_editor)
    ledger = LedgerCommands(answers=answers, adoption=app.adoption)
    patrons = PatronCommands(
        answers=answers,
        book=app.patrons,
        access=app.access,
        taking=app.patron_export,
        reported_links=app.reported_links,
    )
    people = PeopleCommands(
        answers=answers, reconciler=app.reconciler, reported_links=app.reported_links, unlinker=app.unlinker
    )
    rules = RuleCommands(answers=answers, rulebook=app.rulebook, reconciler=app.reconciler)
    settings = SettingsCommands(answers=answers, editor=app.settings_editor)
    setup = SetupCommands(editor=app.setup_editor, connecting=app.connecting)
    stats = StatsCommands(answers=answers, figures=app.figures, painter=app.painter)
    sync = SyncCommands(answers=answers, rounds=app.rounds, reconciler=app.reconciler, trail=app.trail)

    changes = RuleChangeCommands(
        answers=answers, changes=app.rule_changes, rulebook=app.rulebook, reconciler=app.reconciler
    )

    patreon = AdminGroup(
        name="patreon",
        description=texts.PATREON,
        allowed_contexts=app_commands.AppCommandContext(guild=True),
        default_permissions=discord.Permissions(manage_roles=True),
    )
    cogs = (
        api,
        audit,
        believe,
        campaigns,
        comps,
        doctor,
        holds,
        hooks,
        ledger,
        patrons,
        people,
        rules,
        settings,
        setup,
        stats,
        sync,
    )
    for cog in cogs:
        for command in cog.get_app_commands():
            patreon.add_command(command)
    for change in changes.get_app_commands():
        rules.rule.add_command(change)
    bot.tree.add_command(patreon)
    bot.button_handlers |= {
        "confirm:adopt": ledger.confirm_adopt,
        "confirm:adopt-all": patrons.confirm_adopt_all,
        "confirm:believe": believe.confirm_believe,
        "confirm:disconnect": campaigns.confirm_disconnect,
        "confirm:group": changes.confirm_group,
        "confirm:rule": rules.confirm_rule,
        "confirm:rule-edit": changes.confirm_edit,
        "confirm:unlink-member": people.confirm_unlink_member,
        "confirm:undo": audit.confirm_undo,
        "doctor:again": doctor.look_again,
        "hold:apply": holds.apply_hold,
        "hold:discard": holds.discard_hold,
        "page:audit": audit.turn,
        "setup:back": setup.back,
        "setup:campaign": setup.campaign,
        "setup:cancel": setup.cancel,
        "setup:create": setup.create,
        "setup:live": setup.live,
        "setup:policies": setup.policies,
        "setup:policy": setup.policy,
        "setup:preview": setup.preview,
        "setup:role": setup.role,
        "show:patrons": patrons.show_page,
        "show:patrons-access": patrons.show_access,
        "show:patrons-export": patrons.send_shown,
        "show:patrons-only": patrons.choose_only,
        "show:patrons-person": patrons.show_person,
        "show:patrons-standing": patrons.choose_standing,
        "show:patrons-tier": patrons.choose_tier,
    }
