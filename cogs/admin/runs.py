"""`/patreon sync` and `/patreon preview`: bring roles in line now, or see what that would change."""

from collections.abc import Callable
from datetime import datetime

from discord import app_commands
from discord.ext import commands

from bot.discord.client import Interaction
from bot.domain.notices import CreatorTokenDead, DiscordBan
from bot.domain.plan import CHANGES, Action, Decision
from bot.sync.applying.planning import GuildPlan
from bot.sync.applying.reconcile import Reconciler
from bot.sync.round_report import ReadReport, RoundReport
from bot.sync.rounds import Rounds
from bot.texts import commands as texts
from bot.texts.catalogs import ENGLISH
from bot.texts.decisions import say_decision
from bot.texts.errors import say_cause
from bot.texts.linking import plain
from bot.texts.renderer import Medium, Renderer
from bot.texts.troubles import say_anomalies, say_trouble
from cogs.admin.group import Answers, guild_of

_ENGLISH = Renderer(ENGLISH, Medium.DISCORD)
NO_CAMPAIGN = "No Patreon campaign belongs to this server yet, so there is nothing to read."
NOTHING_TO_DO = "Nothing would change: every role is as it should be."
NEVER_READ = "not read completely yet"


class RunCommands(commands.Cog):
    """Bring roles in line, or preview that."""

    def __init__(self, *, answers: Answers, rounds: Rounds, reconciler: Reconciler) -> None:
        self._answers = answers
        self._rounds = rounds
        self._reconciler = reconciler

    @app_commands.command(name="sync", description=texts.SYNC)
    async def sync(self, interaction: Interaction) -> None:
        """Run a round for this server."""
        await interaction.response.defer(ephemeral=True)
        report = await self._rounds.run(trigger="/patreon sync", guild_id=guild_of(interaction))
        await self._answers.tell(interaction, round_text(report))

    @app_commands.command(name="preview", description=texts.PREVIEW)
    async def preview(self, interaction: Interaction) -> None:
        """Plan everyone and write nothing."""
        await interaction.response.defer(ephemeral=True)
        plan = await self._reconciler.preview(guild_of(interaction))
        await self._answers.tell(interaction, preview_text(plan))


def round_text(report: RoundReport) -> str:
    """Say what a round found."""
    lines = [_read_line(one) for one in report.campaigns]
    lines += [f"- {say_cause(_ENGLISH, trouble)}" for trouble in report.errors]
    if not lines:
        return NO_CAMPAIGN
    people = "1 person's roles change" if report.queued == 1 else f"The roles of {report.queued} people change"
    outcome = f"{people} now." if report.queued else "No role has to change."
    stuck = [] if report.plan is None else _stuck_text(report.plan)
    return "\n".join([f"**Patreon was read in {report.seconds:.1f} seconds.** {outcome}", *lines, *stuck])


def _read_line(read: ReadReport) -> str:
    name = f"- **{plain(read.name)}**: "
    if read.is_by_consents:
        trouble = f" {say_cause(_ENGLISH, read.error)}" if read.error is not None else ""
        if read.is_token_dead:
            dead = CreatorTokenDead(campaign_id=read.campaign_id, campaign=read.name)
            trouble = f" {say_trouble(_ENGLISH, dead)}"
        return f"{name}read through the own consent of {_counted(read.patrons, 'linked patron')}.{trouble}"
    if read.error is not None:
        return f"{name}not read completely. {say_cause(_ENGLISH, read.error)} Nobody loses a role by it."
    doubts = say_anomalies(_ENGLISH, read.doubts)
    doubtful = f" I do not believe it yet ({doubts}), so I take no role away." if doubts else ""
    cut = "" if read.is_complete else " The list came incomplete, so nobody loses a role for not being on it."
    if read.is_complete and read.unattributed:
        cut = (
            f" {_counted(read.unattributed, 'row')} cannot be told whose, so nobody loses a role for not being listed."
        )
    return f"{name}{read.patrons} people listed, {read.changed} with news.{doubtful}{cut}"


def preview_text(plan: GuildPlan) -> str:
    """Say what would change for whom and how old the facts are; those whom only a trouble or a rail stops come last."""
    names = plan.names
    changes = _change_lines(plan, is_refused=False)
    head = [f"**{_counted(len(changes), 'change')} would be made.**" if changes else NOTHING_TO_DO]
    head += [_age_line(names.campaign(campaign_id), at) for campaign_id, at in plan.facts_at.items()]
    return "\n".join([*head, *changes, *_stuck_text(plan)])


def _stuck_text(plan: GuildPlan) -> list[str]:
    """Say what does not happen now, by whose doing, and why."""
    stuck = {
        "**These wait for an admin:**": _lines(plan, _is_stuck),
        "**These are held back:**": _lines(plan, lambda decision: decision.action is Action.HELD_BACK),
        "**These wait for the person:**": _lines(plan, lambda decision: decision.action is Action.SCREENING),
        "**These stay as somebody left them by hand:**": _lines(
            plan, lambda decision: decision.action is Action.SUPPRESSED
        ),
    }
    stuck["**Discord refused these and didn't say why; I keep trying, less and less often:**"] = _change_lines(
        plan, is_refused=True
    )
    halt = [f"**All changes wait:** {say_trouble(_ENGLISH, DiscordBan())}"] if plan.is_halted else []
    stuck["**These I could not work out; their roles stay:**"] = [f"- <@{person}>" for person in plan.unplanned]
    return halt + [line for title, lines in stuck.items() if lines for line in (title, *lines)]


def _change_lines(plan: GuildPlan, *, is_refused: bool) -> list[str]:
    """Say what changes: what Discord refused at the last try, or what it did not."""
    return [
        f"<@{person.discord_user_id}> {say_decision(decision, plan.names)}"
        for person in plan.plans
        for decision in person.decisions
        if decision.action in CHANGES
        and (decision.role_id in plan.refused.get(person.discord_user_id, ())) is is_refused
    ]


def _lines(plan: GuildPlan, is_meant: Callable[[Decision], bool]) -> list[str]:
    return [
        f"<@{person.discord_user_id}> {say_decision(decision, plan.names)}"
        for person in plan.plans
        for decision in person.decisions
        if is_meant(decision)
    ]


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _is_stuck(decision: Decision) -> bool:
    return decision.block is not None and decision.action not in CHANGES


def _age_line(name: str, at: datetime | None) -> str:
    age = NEVER_READ if at is None else f"last read completely <t:{int(at.timestamp())}:R>"
    return f"-# {name}: {age}"
