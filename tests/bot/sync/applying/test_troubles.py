"""What admins hear of roles that cannot be changed, and of their end."""

import pytest

from bot.domain.assignable import Block
from bot.domain.model import GuildId, RoleId, RoleRule, RuleId, RuleKind
from bot.domain.notices import End, RoleBlocked, Topic, Trouble
from bot.domain.plan import GuildFacts
from bot.domain.planned import GuildPlan
from bot.runtime.health import HealthBoard, Note
from bot.sync.applying.troubles import Troubles
from tests.fakes.clock import StoppedClock
from tests.fakes.notifier import HeardNotifier
from tests.fakes.world import CAMPAIGN, GUILD, NEW_YEAR, ROLE

ELSEWHERE = GuildId(901)
GOLD = ROLE["Gold"]
RULE = RoleRule(rule_id=RuleId(1), guild_id=GUILD, role_id=GOLD, campaign_id=CAMPAIGN, kind=RuleKind.PAYING)


class Admins(HeardNotifier):
    """Keeps the codes of what they hear."""

    def __init__(self) -> None:
        self.heard: list[Trouble | End] = []

    async def tell_admin(self, guild_id: GuildId, trouble: Trouble, *, is_again: bool = False) -> None:
        self.heard.append(trouble)

    async def over(self, guild_id: GuildId, end: End) -> None:
        self.heard.append(end)

    def topics(self) -> list[Topic]:
        """Return what they heard of since they were asked last."""
        topics = [one.topic for one in self.heard]
        self.heard.clear()
        return topics


@pytest.fixture
def admins() -> Admins:
    return Admins()


@pytest.fixture
def health(clock: StoppedClock) -> HealthBoard:
    return HealthBoard(clock)


@pytest.fixture
def troubles(admins: Admins, health: HealthBoard) -> Troubles:
    return Troubles(notifier=admins, health=health)


def drawn(*, blocked: dict[RoleId, Block], on_trial: frozenset[RoleId] = frozenset()) -> GuildPlan:
    guild = GuildFacts(
        guild_id=GUILD, now=NEW_YEAR, roles={GOLD: "Gold"}, rules=(RULE,), blocked=blocked, on_trial=on_trial
    )
    return GuildPlan(guild=guild, plans=())


async def test_two_factor_is_in_the_health_until_a_write_goes_through(
    troubles: Troubles, admins: Admins, health: HealthBoard
) -> None:
    await troubles.tell_2fa(GUILD)
    assert admins.topics() == [Topic.TWO_FACTOR]
    assert health.report().notes == (Note.OWNER_NEEDS_2FA,)
    assert await troubles.note_write(GUILD)
    assert admins.topics() == [Topic.DISCORD_BAN, Topic.TWO_FACTOR]
    assert health.report().notes == ()


async def test_the_end_is_told_with_the_first_write_and_not_with_each(troubles: Troubles, admins: Admins) -> None:
    assert not await troubles.note_write(GUILD)
    admins.topics()
    assert not await troubles.note_write(GUILD)
    assert admins.topics() == []
    await troubles.tell_ban(GUILD)
    await troubles.note_write(GUILD)
    assert admins.topics() == [Topic.DISCORD_BAN, Topic.DISCORD_BAN, Topic.TWO_FACTOR]


async def test_what_a_server_asked_that_we_left_is_over(troubles: Troubles, health: HealthBoard) -> None:
    await troubles.tell_2fa(GUILD)
    await troubles.tell_2fa(ELSEWHERE)
    troubles.forget_all_but([ELSEWHERE])
    assert health.report().notes == (Note.OWNER_NEEDS_2FA,)
    troubles.forget_all_but([])
    assert health.report().notes == ()


async def test_a_role_out_of_reach_is_told_by_its_name(troubles: Troubles, admins: Admins) -> None:
    await troubles.tell_blocked(drawn(blocked={GOLD: Block.ABOVE_BOT}), told=())
    assert admins.heard == [RoleBlocked(role_id=GOLD, role="Gold", block=Block.ABOVE_BOT)]


async def test_two_factor_is_told_of_the_server_and_of_no_role(troubles: Troubles, admins: Admins) -> None:
    await troubles.tell_blocked(drawn(blocked={GOLD: Block.OWNER_NEEDS_2FA}), told=())
    assert admins.heard == []


@pytest.mark.parametrize(
    ("told", "on_trial", "topics"),
    [
        pytest.param({GOLD}, frozenset[RoleId](), [Topic.ROLE], id="told and reachable again: over"),
        pytest.param(set[RoleId](), frozenset[RoleId](), [], id="never told: nothing is over"),
        pytest.param({GOLD}, frozenset({GOLD}), [], id="on trial: nobody knows"),
        pytest.param({ROLE["Bronze"]}, frozenset[RoleId](), [], id="of no rule any more"),
    ],
)
async def test_the_end_of_a_block(
    troubles: Troubles, admins: Admins, told: set[RoleId], on_trial: frozenset[RoleId], topics: list[Topic]
) -> None:
    await troubles.tell_blocked(drawn(blocked={}, on_trial=on_trial), told=told)
    assert admins.topics() == topics
