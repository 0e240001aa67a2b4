"""What admins read about a server's patrons."""

import pytest
from msgspec.structs import replace

from bot.domain.access import Access, Adoptable, Case, Gap
from bot.domain.adoption import Fate
from bot.domain.entitlement import Standing
from bot.domain.model import DiscordUserId, LinkOrigin, Mode, PatreonUserId, Tier, TierId
from bot.domain.patrons import Kind, PatronRow, Place, Show, Wish, plan_without_account
from bot.texts.card import CHOICE_LENGTH, Outcome, pages
from bot.texts.catalogs import ENGLISH
from bot.texts.patrons import (
    MOST_ROLES,
    ROW_LENGTH,
    SHOWS,
    STANDINGS,
    access_card,
    access_label,
    adopt_buttons,
    adopted_all_card,
    back_label,
    export_card,
    export_label,
    menu_labels,
    patron_card,
    patrons_card,
    person_option,
    say_word,
    tier_option,
)
from bot.texts.renderer import Medium, Renderer
from tests.fakes.notifier import RENDERER
from tests.fakes.world import CAMPAIGN, NEW_YEAR, ROLE, TIER, World

PLAIN = Renderer(ENGLISH, Medium.PLAIN)
ADA = DiscordUserId(1)
ROW = PatronRow(
    place=Place(Kind.PATRON, "17"),
    name="Ada",
    patreon_user_id=PatreonUserId("17"),
    discord_user_id=ADA,
    origin=LinkOrigin.COMMAND,
    is_member=True,
    standing=Standing.ACTIVE,
    campaign_id=CAMPAIGN,
    tier_ids=frozenset({TIER["Gold"]}),
)


def said(row: PatronRow) -> str:
    (item,) = patrons_card(RENDERER, [row], Wish(), World().facts()).items
    return item


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (ROW, "**Ada** (<@1>) · Active patron · Gold · linked with `/link`"),
        (
            replace(ROW, origin=LinkOrigin.PATREON, is_member=False, standing=Standing.ENDING, ends_at=NEW_YEAR),
            (
                "**Ada** (<@1>) · Cancelled, but still paid · Gold · until <t:1767268800:D> · linked by Patreon's "
                "report · not in this server"
            ),
        ),
        (
            replace(ROW, discord_user_id=None, origin=None, is_member=False, gaps={ROLE["Gold"]: Gap.NO_ACCOUNT}),
            "**Ada** · Active patron · Gold · not linked here",
        ),
        (
            replace(ROW, gaps={ROLE["Bronze"]: Gap.OTHER_PLEDGE, ROLE["Gold"]: Gap.COMING}),
            (
                "**Ada** (<@1>) · Active patron · Gold · linked with `/link` · ⚠ has **Bronze** without earning it · "
                "⚠ earns **Gold** but doesn't have it"
            ),
        ),
        (
            PatronRow(place=Place(Kind.ACCOUNT, "1"), discord_user_id=ADA, is_member=True),
            "<@1> · no pledge that I know",
        ),
        (PatronRow(place=Place(Kind.ACCOUNT, "1"), discord_user_id=ADA), "<@1> · not in this server"),
        (
            replace(ROW, campaign_id=None, tier_ids=frozenset(), standing=Standing.NONE),
            "**Ada** (<@1>) · No pledge known · linked with `/link`",
        ),
    ],
)
def test_each_row_says_who_it_is_and_what_does_not_match(row: PatronRow, expected: str) -> None:
    assert said(row) == expected


def test_a_page_is_one_message_whatever_people_are_called() -> None:
    row = replace(ROW, name="*" * 100, gaps=dict.fromkeys(ROLE.values(), Gap.LEAVING))
    card = patrons_card(RENDERER, [row] * 10, Wish(), World().facts())
    assert max(map(len, card.items)) <= ROW_LENGTH
    assert len(pages(card)) == 1


def test_an_empty_list_says_why() -> None:
    world = World()
    facts = world.facts()
    assert (
        "Connect one with `/patreon connect`" in patrons_card(RENDERER, [], Wish(), replace(facts, campaigns={})).body
    )
    assert patrons_card(RENDERER, [], Wish(), facts).body == "I don't know any patrons yet."
    filtered = Wish(shows=frozenset({Show.ENDING}))
    assert patrons_card(RENDERER, [], filtered, facts).body == "Nobody fits what you chose."


def test_menus_name_everything_within_discords_limits() -> None:
    tier = Tier(campaign_id=CAMPAIGN, tier_id=TierId("9"), title="x" * 200, amount_cents=500)
    assert len(tier_option(PLAIN, World().campaign(), tier, has_several=True)) <= CHOICE_LENGTH
    assert person_option(PLAIN, ROW) == "Ada"
    assert person_option(PLAIN, replace(ROW, discord_user_id=None)) == "Ada"
    assert person_option(PLAIN, PatronRow(place=Place(Kind.ACCOUNT, "1"), discord_user_id=ADA)) == "@1"
    assert STANDINGS.keys() == set(Standing)
    assert SHOWS.keys() == set(Show)
    assert say_word(PLAIN, SHOWS[Show.MEMBER]) == "In this server"
    labels = (*menu_labels(PLAIN), access_label(PLAIN), export_label(PLAIN), back_label(PLAIN), *adopt_buttons(PLAIN))
    assert len({*labels}) == 9


def test_a_patron_without_an_account_here_is_described_by_patreon_alone() -> None:
    world = World()
    world.patron("ada")
    facts = world.facts()
    plan = plan_without_account(facts, world.people["ada"].records)
    body = patron_card(RENDERER, "Ada", plan, facts, [ROLE["Gold"]]).body
    assert body.startswith("**Ada**\nThey're an active Gold patron of Moth Tales.")
    assert "<@" not in body
    assert body.endswith("They get **Gold** once they join and type `/link`.")
    assert "once they join" not in patron_card(RENDERER, "Ada", plan, facts, []).body


def test_where_all_is_as_it_should_be_nothing_is_asked() -> None:
    draft = access_card(RENDERER, Access(is_live=False)).body
    assert draft.endswith("by your `/patreon setup`, which isn't live yet. You can adopt roles after you go live.")
    card = access_card(RENDERER, Access())
    assert (card.outcome, card.items, card.footer) == (Outcome.INFO, (), None)
    assert card.body == "Everyone who earns a pledge role has it, and nobody else does."
    (links,) = card.fields
    assert "these links" not in links.value


def test_each_gap_is_counted_and_named() -> None:
    cases = {gap: Case(people=number, named=(ADA,)) for number, gap in enumerate(Gap, start=1)}
    card = access_card(RENDERER, Access(cases=cases, by_command=2, by_report=3, mode=Mode.OFF, sees_everyone=False))
    assert card.items[0] == "**Have a pledge role without earning it**"
    assert card.items[1].endswith("Someone else assigned the role. (<@1>)")
    assert card.items[2].startswith("- 2 people are linked but aren't paying")
    assert card.items[2].endswith("(<@1> and 1 more person)")
    assert card.items[8] == "**Earn a pledge role but don't have it**"
    assert len(card.items) == len(Gap) + 2
    assert "This server's `mode` is `off`" in card.body
    assert "Server Members Intent" in str(card.footer)
    (links,) = card.fields
    assert "2 people in this server are linked with `/link`." in links.value
    assert "3 people are linked only because Patreon reports" in links.value
    assert "these links and their roles stay" in links.value
    (alone,) = access_card(RENDERER, Access(by_report=1)).fields
    assert "these links" not in alone.value
    assert alone.value.endswith("A link made with `/link` doesn't depend on Patreon's reports.")
    assert len(pages(card)) == 1
    nameless = access_card(RENDERER, Access(cases={Gap.NO_ACCOUNT: Case(people=1)}))
    assert nameless.items[1].startswith("- 1 patron has no account in this server that I know.")
    assert "(" not in nameless.items[1]


def test_what_becomes_of_adopted_roles_is_said_before() -> None:
    held = tuple(
        Adoptable(discord_user_id=ADA, role_id=ROLE["Gold"], fate=fate)
        for fate in (Fate.ENTITLED, Fate.ENTITLED, Fate.UNSURE, Fate.UNLINKED, Fate.UNENTITLED)
    )
    card = access_card(RENDERER, Access(adoptable=held, left_out=("Mods",) * (MOST_ROLES + 1)))
    assert card.outcome is Outcome.QUESTION
    lines = card.fields[1].value.splitlines()
    assert lines[0].endswith("assigned 5 pledge roles, so I never remove them.")
    assert lines[2:5] == [
        "- 2 stay, because they're earned",
        "- 1 stays until I've checked its owner",
        "- **2 go** at the next sync",
    ]
    assert lines[5] == "If that's many at once, I'll ask you first."
    assert "**Mods**, **Mods**, **Mods** and 1 more" in lines[6]
    kept = access_card(RENDERER, Access(adoptable=held[:1])).fields[1].value
    assert kept.endswith("- 1 stays, because it's earned")
    lost = access_card(RENDERER, Access(adoptable=held[3:4])).fields[1].value
    assert "stay" not in lost
    assert adopted_all_card(RENDERER, Access(adoptable=held)).body.startswith("I now manage 5 more roles")
    assert adopted_all_card(RENDERER, Access()).title == "Nothing to adopt"


def test_with_the_file_it_is_said_what_is_in_it() -> None:
    assert export_card(RENDERER, 1, has_amounts=False).body.startswith(
        "The file lists 1 person. It includes no amounts."
    )
    assert "It includes what they pay. It's personal data" in export_card(RENDERER, 27, has_amounts=True).body
