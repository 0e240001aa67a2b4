"""The cards of `/patreon comp …`."""

from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from bot.domain.comps import Comp, NamedComp
from bot.domain.model import DiscordUserId, GuildId, RoleId
from bot.domain.plan import Action
from bot.domain.reasons import RoleReason
from bot.domain.rules import Wanted
from bot.texts.catalogs import ENGLISH
from bot.texts.comps import comps_card, ended_card, given_card
from bot.texts.renderer import Medium, Renderer

R = Renderer(ENGLISH, Medium.PLAIN)
UNTIL = datetime(2026, 2, 1, tzinfo=UTC)
COMP = Comp(
    guild_id=GuildId(1),
    discord_user_id=DiscordUserId(7),
    role_id=RoleId(2),
    reason="won",
    given_by=DiscordUserId(1),
    given_at=datetime(2026, 1, 1, tzinfo=UTC),
    until=UNTIL,
)
NAMED = NamedComp(comp=COMP, role="Gold")
NOW = RoleReason(role="Gold", action=Action.GRANT, wanted=Wanted.YES)


def test_what_was_given_is_said_with_what_becomes_of_it_where_that_is_known() -> None:
    given = "@7 has Gold without a pledge until 1 February 2026: “won”."
    assert given_card(R, NAMED, before=None, now=NOW).body == f"{given}\nI'll assign it."
    assert given_card(R, NAMED, before=None, now=None).body == given
    assert ended_card(R, NAMED, now=None).body == "@7 no longer has Gold without a pledge."
    assert ended_card(R, NAMED, now=NOW).body.endswith("I'll assign it.")


def test_what_was_changed_is_said_with_what_it_was() -> None:
    changed = given_card(R, NAMED, before=replace(COMP, reason="came first"), now=NOW)
    assert (changed.title, changed.body.split("\n")[1:]) == (
        "Changed",
        ["Before, it was to end on 1 February 2026, and the reason was “came first”.", "I'll assign it."],
    )
    endless = given_card(R, NAMED, before=replace(COMP, until=None), now=None)
    assert endless.body.endswith("Before, it had no end date, and the reason was “won”.")


def test_what_is_given_again_as_it_was_is_no_change() -> None:
    later = replace(COMP, until=UNTIL + timedelta(seconds=5))  # "30d", typed twice
    for comp, before in ((COMP, later), (replace(COMP, until=None), replace(COMP, until=None))):
        named = replace(NAMED, comp=comp)
        assert given_card(R, named, before=before, now=NOW) == given_card(R, named, before=None, now=NOW)


def test_the_list_has_each_with_who_gave_it() -> None:
    assert "/patreon comp add" in comps_card(R, []).body
    endless = replace(NAMED, comp=replace(COMP, until=None))
    assert comps_card(R, [NAMED, endless]).items == (
        "@7 has Gold without a pledge until 1 February 2026: “won”. Given by @1.",
        "@7 has Gold without a pledge, with no end date: “won”. Given by @1.",
    )
