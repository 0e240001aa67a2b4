"""Decisions in words: to the patron in the second person, to the team with what the team can do."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from bot.domain.assignable import Block
from bot.domain.model import NO_STATUS, DiscordUserId, GuildId, LinkOrigin, RuleKind, Source
from bot.domain.notices import ChangeFound, RoleChanged
from bot.domain.oddities import Oddity, OddityKind
from bot.domain.plan import Action, Bond, Rail
from bot.domain.pledge_terms import Term
from bot.domain.reasons import CompFacts, OldText, PatronFacts, RoleReason, RuleFacts, Status, TierName
from bot.domain.role_news import RoleNews, RoleStatus
from bot.domain.rules import Wanted
from bot.texts.assignable import say_block
from bot.texts.catalogs import ENGLISH
from bot.texts.decisions import (
    Reader,
    role_line,
    say_action,
    say_cause,
    say_change,
    say_link,
    say_news,
    say_news_cause,
    say_oddity,
    say_patron,
    say_source,
)
from bot.texts.renderer import Medium, Renderer
from tests.fakes.world import NEW_YEAR, TIER, World

R = Renderer(ENGLISH, Medium.PLAIN)
DISCORD = Renderer(ENGLISH, Medium.DISCORD)
GOLD = TierName(tier_id=TIER["Gold"], title="Gold", amount_cents=1000, currency="USD")
BRONZE = TierName(tier_id=TIER["Bronze"], title="Bronze", amount_cents=300, currency="USD")
GOLD_RULE = RuleFacts(kind=RuleKind.TIER, campaign="Moth Tales", tier=GOLD)
UNTIL = NEW_YEAR + timedelta(days=7)
ACTIVE = PatronFacts(campaign="Moth Tales", status=Status.ACTIVE, tiers=(GOLD,), source=Source.BULK, read_at=NEW_YEAR)
REASON = RoleReason(role="Gold", action=Action.KEEP, wanted=Wanted.YES, rule=GOLD_RULE, patron=ACTIVE)


COMP = CompFacts(reason="won the raffle", given_by=DiscordUserId(1), until=NEW_YEAR)


def reason(action: Action, **facts: Any) -> RoleReason:
    return replace(REASON, action=action, **facts)


def test_what_nobody_thought_of_is_an_error() -> None:
    unheard: Any = "unheard of"
    with pytest.raises(AssertionError):
        say_action(R, reason(Action.BLOCKED, block=Block.GONE), unheard)
    with pytest.raises(AssertionError):
        say_cause(R, REASON, unheard)
    with pytest.raises(AssertionError):
        say_oddity(R, Oddity(kind=unheard, campaign="Moth Tales"))
    with pytest.raises(KeyError):
        say_patron(R, replace(ACTIVE, status=unheard), Reader.TEAM)


# --- what Patreon says


@pytest.mark.parametrize("reader", Reader)
@pytest.mark.parametrize("status", Status)
def test_each_standing_has_words_for_each_reader(status: Status, reader: Reader) -> None:
    patron = replace(ACTIVE, status=status, until=UNTIL, gone_since=NEW_YEAR)
    said = say_patron(R, patron, reader)
    assert "Moth Tales" in said
    assert ("You" in said or "your" in said) is (reader is Reader.PATRON)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, "They're an active Gold patron of Moth Tales."),
        ({"tiers": (BRONZE, GOLD)}, "They're an active Bronze and Gold patron of Moth Tales."),
        ({"tiers": ()}, "They're an active patron of Moth Tales."),
        (
            {"status": Status.ENDING, "until": UNTIL},
            "They cancelled or paused their Gold membership of Moth Tales. It's paid until 8 January 2026.",
        ),
        (
            {"status": Status.ENDING},
            "They cancelled or paused their Gold membership of Moth Tales, but it's still paid.",
        ),
        (
            {"status": Status.DECLINED, "until": UNTIL},
            "Their payment for Moth Tales was declined. They keep their roles until 8 January 2026.",
        ),
        (
            {"status": Status.LAPSED, "terms": (Term.DECLINED,), "until": UNTIL},
            (
                "They're not a paying patron of Moth Tales anymore. The last payment was declined. "
                "The grace period ended 8 January 2026, 12:00 UTC."
            ),
        ),
        (
            {"status": Status.LAPSED, "terms": (Term.CANCELLED, Term.STILL_FREE_MEMBER)},
            (
                "They're not a paying patron of Moth Tales anymore. The membership was cancelled or paused. "
                "They're still a free member."
            ),
        ),
        (
            {"terms": (Term.CADENCE, Term.DISCOUNTED), "cadence_months": 3},
            (
                "They're an active Gold patron of Moth Tales. It's paid every 3 months. It costs less than the tier's "
                "price."
            ),
        ),
        (
            {"terms": (Term.UNKNOWN_WORDS,), "unknown_words": ("Half Paid", "napping")},
            (
                "They're an active Gold patron of Moth Tales. Patreon describes it as Half Paid and napping, which I "
                "don't know yet."
            ),
        ),
    ],
)
def test_what_patreon_says_is_said_with_what_a_patron_would_miss(facts: dict[str, Any], expected: str) -> None:
    assert say_patron(R, replace(ACTIVE, **facts), Reader.TEAM) == expected


@pytest.mark.parametrize("term", Term)
def test_each_term_has_words_and_names_no_amount(term: Term) -> None:
    patron = replace(ACTIVE, terms=(term,), cadence_months=3, unknown_words=("odd",))
    said = say_patron(R, patron, Reader.PATRON).removeprefix("You're an active Gold patron of Moth Tales. ")
    assert said.endswith(".")
    assert "$" not in said


@pytest.mark.parametrize(
    ("facts", "team", "patron"),
    [
        ({}, "Checked {} in Patreon's member list.", "Checked {} in Patreon's member list."),
        ({"source": Source.MEMBER}, "Checked {} on Patreon.", "Checked {} on Patreon."),
        ({"source": Source.IDENTITY}, "Checked {} with their consent.", "Checked {} with your consent."),
        (
            {"status": Status.UNREAD},
            "The last complete member list is from {}.",
            "The last complete member list is from {}.",
        ),
        (
            {"status": Status.UNREAD, "source": None, "read_at": None},
            "Patreon's member list hasn't been read completely yet.",
            "Patreon's member list hasn't been read completely yet.",
        ),
    ],
    ids=["list", "one member", "consent", "not told", "never read"],
)
def test_a_fact_is_said_with_its_source_and_age(facts: dict[str, Any], team: str, patron: str) -> None:
    at = "1 January 2026, 12:00 UTC"
    assert say_source(R, replace(ACTIVE, **facts), Reader.TEAM) == team.format(at)
    assert say_source(R, replace(ACTIVE, **facts), Reader.PATRON) == patron.format(at)


@pytest.mark.parametrize(
    ("oddity", "expected"),
    [
        (
            Oddity(kind=OddityKind.COUNTS_AS, campaign="M", cents=1000, told_cents=12000, currency="USD"),
            "For rules about amounts, this counts as US$10.00 a month. Patreon says US$120.00.",
        ),
        (
            Oddity(kind=OddityKind.DEARER_TIER, campaign="M", tiers=(GOLD,)),
            "Looks odd: Patreon lists Gold, which costs more than they pay.",
        ),
        (
            Oddity(kind=OddityKind.OVERDUE, campaign="M", due_at=NEW_YEAR),
            "Looks odd: the next payment was due 1 January 2026, 12:00 UTC, but Patreon hasn't shown one since.",
        ),
    ],
)
def test_what_looks_odd_is_said(oddity: Oddity, expected: str) -> None:
    assert say_oddity(R, oddity) == expected


# --- what becomes of a role


@pytest.mark.parametrize("reader", Reader)
@pytest.mark.parametrize("action", Action)
def test_each_action_has_words_for_each_reader(action: Action, reader: Reader) -> None:
    said = say_action(R, reason(action), reader)
    assert said.endswith(".")
    if reader is Reader.PATRON:
        assert "/patreon" not in said


@pytest.mark.parametrize(
    ("facts", "team", "patron"),
    [
        pytest.param(
            {"action": Action.LEAVE},
            "Kept: someone assigned it manually, so I won't remove it.",
            "You have it: someone assigned it manually, so I won't remove it.",
            id="given by a person",
        ),
        pytest.param(
            {"action": Action.NONE, "has_role": True, "wanted": Wanted.NO},
            "Not earned, but someone assigned it manually, so I won't remove it.",
            "You have it: someone assigned it manually, so I won't remove it.",
            id="not earned, given by a person",
        ),
        pytest.param(
            {"action": Action.NONE, "has_role": True, "wanted": Wanted.UNSURE},
            "Kept: someone assigned it manually, so I won't remove it.",
            "You have it: someone assigned it manually, so I won't remove it.",
            id="not proven, given by a person",
        ),
        pytest.param(
            {"action": Action.NONE, "wanted": Wanted.UNSURE},
            "Not assigned yet, because I can't tell yet whether it's earned.",
            "You don't have it yet, because I can't tell yet whether you've earned it.",
            id="not proven",
        ),
        pytest.param(
            {"action": Action.UNPROVEN, "wanted": Wanted.UNSURE},
            "Not assigned yet, because I can't tell yet whether it's earned.",
            "You don't have it yet, because I can't tell yet whether you've earned it.",
            id="ours, taken away, not proven",
        ),
        pytest.param(
            {"action": Action.UNPROVEN, "wanted": Wanted.UNSURE, "has_role": True},
            "Kept: no complete member list says otherwise yet.",
            "You keep it until Patreon's member list says otherwise.",
            id="ours, not proven",
        ),
        pytest.param(
            {"action": Action.SCREENING},
            "Waiting until they complete this server's member screening.",
            "You'll get it once you complete this server's member screening.",
            id="screening",
        ),
        pytest.param(
            {"action": Action.SUPPRESSED, "taken_at": NEW_YEAR, "is_undone": True},
            "Not assigned: an admin undid that it was. To give it back, use /patreon restore.",
            "This server's team took it back, and can give it to you again.",
            id="undone",
        ),
        pytest.param(
            {"action": Action.SUPPRESSED, "taken_at": NEW_YEAR},
            "Not assigned: someone removed it manually 1 January 2026, 12:00 UTC. "
            "To give it back, use /patreon restore.",
            "Someone removed it manually 1 January 2026, 12:00 UTC. This server's team can give it back.",
            id="taken",
        ),
        pytest.param(
            {"action": Action.HELD_BACK, "rail": Rail.HOLD},
            "Kept until an admin answers /patreon holds.",
            "You keep it until this server's team decides.",
            id="held",
        ),
        pytest.param(
            {"action": Action.HELD_BACK, "rail": Rail.DISCARD},
            "Kept, because an admin decided that they should keep it.",
            "You keep it, because this server's team decided that you should.",
            id="discarded",
        ),
        pytest.param(
            {"action": Action.HELD_BACK, "rail": Rail.MODE},
            "Unchanged, because this server's mode doesn't allow the change.",
            "Unchanged, because of this server's settings.",
            id="mode",
        ),
        pytest.param(
            {"action": Action.HELD_BACK, "rail": Rail.REPORT},
            "Unchanged until they type /link, which this server asks everyone to do.",
            "Unchanged until you type /link, which this server asks everyone to do.",
            id="a report that the server does not want",
        ),
        pytest.param(
            {"action": Action.LINGER, "kept_until": NEW_YEAR},
            "Not earned anymore, but kept until 1 January 2026, as its rule says.",
            "You don't earn it anymore, but you keep it until 1 January 2026.",
            id="kept for a while",
        ),
        pytest.param(
            {"action": Action.HELD_BACK, "rail": Rail.BLOCKED},
            "Kept until I can assign the role that replaces it.",
            "You keep it until you can get the role that replaces it.",
            id="the next role is blocked",
        ),
    ],
)
def test_each_reader_is_told_what_is_theirs_to_do(facts: dict[str, Any], team: str, patron: str) -> None:
    assert say_action(R, replace(REASON, **facts), Reader.TEAM) == team
    assert say_action(R, replace(REASON, **facts), Reader.PATRON) == patron


@pytest.mark.parametrize("block", Block)
def test_only_who_can_act_is_told_the_cure(block: Block) -> None:
    blocked = reason(Action.BLOCKED, block=block)
    cure = say_block(R, block, "Gold")
    assert cure.count(". ") >= 1, "what is wrong, then the cure"
    assert cure in role_line(R, blocked, Reader.TEAM)
    told = role_line(R, blocked, Reader.PATRON)
    assert "Let this server's team know." in told
    for words in (cure, "drag my role", "Manage Roles", "Choose another", "Remove"):
        assert words not in told


@pytest.mark.parametrize(
    ("bond", "team", "patron"),
    [
        (Bond.NONE, "No Patreon account is linked.", "You haven't linked a Patreon account."),
        (Bond.UNLINKED, "They unlinked their Patreon account.", "You unlinked your Patreon account."),
        (
            Bond.ENDED,
            "Patreon no longer reports this Discord account as theirs, so they aren't linked anymore.",
            "Patreon no longer reports this Discord account as yours, so you aren't linked anymore.",
        ),
    ],
)
def test_without_a_link_that_is_what_decides(bond: Bond, team: str, patron: str) -> None:
    unlinked = reason(Action.NONE, wanted=Wanted.NO, bond=bond, patron=None)
    assert role_line(R, unlinked, Reader.TEAM) == f"Gold: Not earned. Requires the Gold tier of Moth Tales. {team}"
    assert say_cause(R, unlinked, Reader.PATRON) == f"Requires the Gold tier of Moth Tales. {patron}"


def test_a_role_is_said_with_its_rule_its_fact_its_source_and_its_age() -> None:
    assert role_line(R, REASON, Reader.PATRON) == (
        "Gold: You have it. Requires the Gold tier of Moth Tales. You're an active Gold patron of Moth Tales. "
        "Checked 1 January 2026, 12:00 UTC in Patreon's member list."
    )
    short = role_line(R, REASON, Reader.PATRON, is_short=True)
    assert short == "Gold: You have it. Requires the Gold tier of Moth Tales."


@pytest.mark.parametrize("is_short", [True, False])
def test_a_role_without_a_rule_is_said_to_be_one(is_short: bool) -> None:
    unruled = reason(Action.REVOKE, rule=None, patron=None)
    said = role_line(R, unruled, Reader.TEAM, is_short=is_short)
    assert said == "Gold: I'll remove it. No rule uses this role anymore."


@pytest.mark.parametrize("is_short", [True, False])
@pytest.mark.parametrize(
    ("comp", "team", "patron"),
    [
        (
            COMP,
            "@1 gave it to them until 1 January 2026: “won the raffle”.",
            "This server's team gave it to you until 1 January 2026: “won the raffle”.",
        ),
        (
            replace(COMP, until=None),
            "@1 gave it to them, with no end date: “won the raffle”.",
            "This server's team gave it to you, with no end date: “won the raffle”.",
        ),
        (
            replace(COMP, is_over=True),
            "@1 had given it to them until 1 January 2026: “won the raffle”.",
            "This server's team had given it to you until 1 January 2026: “won the raffle”.",
        ),
    ],
    ids=["until a day", "for good", "over"],
)
def test_what_an_admin_gave_is_said_before_what_a_rule_asks(
    comp: CompFacts, team: str, patron: str, *, is_short: bool
) -> None:
    given = reason(Action.KEEP, rule=None, patron=None, comp=comp)
    assert role_line(R, given, Reader.TEAM, is_short=is_short) == f"Gold: Kept. {team}"
    assert role_line(R, given, Reader.PATRON, is_short=is_short) == f"Gold: You have it. {patron}"
    both = replace(REASON, comp=comp)
    assert role_line(R, both, Reader.TEAM, is_short=is_short).startswith(f"Gold: Kept. {team} Requires the Gold tier")


@pytest.mark.parametrize("is_short", [True, False])
def test_what_a_higher_role_takes_the_place_of_is_said(*, is_short: bool) -> None:
    outranked = reason(Action.REVOKE, wanted=Wanted.NO, outranked_by="Legend")
    team = "They get only the highest role of its group, which is Legend."
    patron = "In this server you get only the highest of several roles, which is Legend."
    said = role_line(R, outranked, Reader.TEAM, is_short=is_short)
    assert said.startswith(f"Gold: I'll remove it. Requires the Gold tier of Moth Tales. {team}")
    assert patron in role_line(R, outranked, Reader.PATRON, is_short=is_short)
    assert patron in say_news_cause(R, news(RoleStatus.MISSING, outranked))
    assert "deleted role" in role_line(R, replace(outranked, outranked_by=""), Reader.TEAM, is_short=is_short)


def test_a_role_that_is_gone_is_said_to_be_deleted() -> None:
    assert role_line(R, reason(Action.FORGET, role=""), Reader.TEAM).startswith("deleted role: Not earned.")


def test_names_mark_nothing_up_and_mention_nobody() -> None:
    evil = "**@everyone** <@1> `x`"
    rule = replace(GOLD_RULE, campaign=evil, tier=replace(GOLD, title=evil))
    said = role_line(DISCORD, replace(REASON, role=evil, rule=rule), Reader.TEAM)
    assert "@everyone**" not in said
    assert " <@1>" not in said
    assert "\\*\\*\\@everyone" in said


# --- what was done


def test_what_was_done_is_said_as_done_with_the_reason() -> None:
    given = RoleChanged(discord_user_id=DiscordUserId(7), reason=reason(Action.GRANT))
    assert say_change(DISCORD, given).startswith("<@7> got **Gold**. Requires the Gold tier of Moth Tales. They're an ")
    taken = RoleChanged(discord_user_id=DiscordUserId(7), reason=reason(Action.REVOKE))
    assert say_change(DISCORD, taken).startswith(
        "<@7> lost **Gold**. Requires the Gold tier of Moth Tales. They're an "
    )


def test_what_is_found_later_is_said_to_be_ours() -> None:
    found = ChangeFound(discord_user_id=DiscordUserId(7), role="Gold", is_given=True)
    assert say_change(DISCORD, found).startswith("<@7> got **Gold** from me.")
    assert say_change(DISCORD, replace(found, is_given=False)).startswith("I removed **Gold** from <@7>.")


# --- what one person is told after a turn


def news(status: RoleStatus, why: RoleReason | OldText) -> RoleNews:
    return RoleNews(guild_id=GuildId(1), guild_name="Hollow", role_name="Gold", status=status, reason=why)


@pytest.mark.parametrize("status", RoleStatus)
def test_each_news_names_the_role(status: RoleStatus) -> None:
    assert "Gold" in say_news(R, news(status, OldText("")))


@pytest.mark.parametrize(
    ("why", "expected"),
    [
        pytest.param(REASON, "You're an active Gold patron of Moth Tales.", id="kept"),
        pytest.param(
            reason(Action.NONE, wanted=Wanted.NO),
            "Requires the Gold tier of Moth Tales. You're an active Gold patron of Moth Tales.",
            id="not kept: what it requires",
        ),
        pytest.param(
            reason(Action.LEAVE), "You have it: someone assigned it manually, so I won't remove it.", id="a person's"
        ),
        pytest.param(
            reason(Action.NONE, has_role=True, wanted=Wanted.NO),
            "You have it: someone assigned it manually, so I won't remove it.",
            id="not earned, given by a person",
        ),
        pytest.param(
            reason(Action.BLOCKED, block=Block.GONE),
            "This role no longer exists. Let this server's team know.",
            id="blocked: the cure is not theirs",
        ),
        pytest.param(
            reason(Action.BLOCKED, block=Block.ABOVE_BOT),
            "I can't change this role because of how this server is set up. Let this server's team know.",
            id="blocked: nor is Discord's order of roles",
        ),
        pytest.param(
            reason(Action.NONE, wanted=Wanted.UNSURE, patron=PatronFacts(campaign="Moth Tales", status=Status.UNREAD)),
            "Requires the Gold tier of Moth Tales. I haven't been able to check your membership of Moth Tales yet.",
            id="not proven",
        ),
        pytest.param(reason(Action.REVOKE, rule=None), "No rule uses this role anymore.", id="no rule"),
        pytest.param(
            reason(Action.SPARE, wanted=Wanted.NO, kept_until=NEW_YEAR),
            "You don't earn it anymore, but you keep it until 1 January 2026.",
            id="kept for a while",
        ),
        pytest.param(
            reason(Action.GRANT, rule=None, patron=None, comp=COMP),
            "This server's team gave it to you until 1 January 2026: “won the raffle”.",
            id="an admin's word",
        ),
        pytest.param(OldText("tier Gold"), "tier Gold", id="a sentence of before"),
    ],
)
def test_a_person_is_told_plainly_why_a_role_is_theirs_or_not(why: RoleReason | OldText, expected: str) -> None:
    assert say_news_cause(R, news(RoleStatus.MISSING, why)) == expected


# --- links


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, "Your account has been linked to the Patreon account Ada since 1 January 2026."),
        (
            {"origin": LinkOrigin.PATREON},
            "According to Patreon, your account has been linked to the Patreon account Ada since 1 January 2026.",
        ),
        ({"patreon_name": ""}, "Your account has been linked to the Patreon account — since 1 January 2026."),
    ],
    ids=["by command", "by Patreon", "nameless"],
)
def test_a_plan_says_how_the_accounts_are_joined(facts: dict[str, Any], expected: str) -> None:
    world = World()
    world.patron("ada")
    plan = world.plan_of("ada")
    assert plan.link is not None
    assert say_link(R, replace(plan, link=replace(plan.link, **facts)), Reader.PATRON) == expected


def test_who_is_not_linked_is_told_how_to_link() -> None:
    world = World()
    world.patron("ada")
    world.trust_report("ada", has_ended=True)
    ended = say_link(R, world.plan_of("ada"), Reader.PATRON)
    assert ended.startswith("Patreon no longer reports this Discord account as yours")
    world.unlink("ada")
    unlinked = say_link(R, world.plan_of("ada"), Reader.TEAM)
    assert unlinked == "They unlinked their Patreon account. They can link one with /link."
    world.stranger("ben")
    never = say_link(R, world.plan_of("ben"), Reader.PATRON)
    assert never.startswith("You haven't linked a Patreon account. Type /link")
    assert "/link" in ended


def test_an_odd_pledge_names_what_looks_odd() -> None:
    dear = Oddity(kind=OddityKind.DEARER_TIER, campaign="Moth Tales", tiers=(GOLD,))
    due = Oddity(kind=OddityKind.OVERDUE, campaign="Moth Tales", due_at=NEW_YEAR)
    assert say_oddity(DISCORD, dear) == "Looks odd: Patreon lists Gold, which costs more than they pay."
    assert f"was due <t:{int(NEW_YEAR.timestamp())}:R>" in say_oddity(DISCORD, due)
    assert say_oddity(DISCORD, replace(due, due_at=None)) == ""


def test_of_a_campaign_that_is_unknown_only_the_rule_is_said() -> None:
    assert say_cause(DISCORD, replace(REASON, patron=None), Reader.TEAM) == "Requires the Gold tier of Moth Tales."


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((NO_STATUS, NO_STATUS), "Patreon sent no status for it."),
        ((NO_STATUS, "napping"), "Patreon describes it as `napping`, which I don't know yet."),
    ],
)
def test_a_status_that_was_not_sent_is_no_word(words: tuple[str, ...], said: str) -> None:
    patron = replace(ACTIVE, terms=(Term.UNKNOWN_WORDS,), unknown_words=words)
    assert say_patron(DISCORD, patron, Reader.TEAM).endswith(said)


@pytest.mark.parametrize(
    ("wanted", "team", "patron"),
    [
        (
            Wanted.YES,
            "An admin undid its removal. They keep it until their membership changes.",
            "This server's team gave it back to you. You keep it until your membership changes.",
        ),
        (Wanted.NO, "An admin undid that it was assigned.", "This server's team took it back."),
    ],
)
def test_what_an_admin_undid_is_said_first(wanted: Wanted, team: str, patron: str) -> None:
    why = reason(Action.KEEP if wanted is Wanted.YES else Action.REVOKE, wanted=wanted, is_undone=True)
    assert say_cause(R, why, Reader.TEAM).startswith(f"{team} Requires the Gold tier of Moth Tales.")
    assert say_cause(R, replace(why, rule=None), Reader.TEAM) == team
    assert say_news_cause(R, news(RoleStatus.KEPT, why)) == patron
