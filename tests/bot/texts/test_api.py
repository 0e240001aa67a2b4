"""The cards of `/patreon api …`."""

from datetime import UTC, datetime

from msgspec.structs import replace

from bot.domain.api_token import ApiToken, TokenChange
from bot.domain.model import ApiTokenId, DiscordUserId, GuildId, Secret
from bot.texts.api import created_card, revoked_card, say_token_change, token_choice, tokens_card
from bot.texts.catalogs import ENGLISH
from bot.texts.renderer import Medium, Renderer

R = Renderer(ENGLISH, Medium.PLAIN)
DISCORD = Renderer(ENGLISH, Medium.DISCORD)
TOKEN = ApiToken(
    token_id=ApiTokenId(7),
    guild_id=GuildId(1),
    label="whitelist",
    digest="abc",
    created_by=DiscordUserId(1),
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
)
SHOWN = Secret("pk_7_" + "x_" * 21 + "x")


def test_a_new_token_is_shown_to_be_copied_with_where_to_use_it() -> None:
    card = created_card(DISCORD, TOKEN, SHOWN, "https://pledges.example")
    assert f"\n`{SHOWN.reveal()}`\n" in card.body
    assert card.body.endswith("Programs ask here: https://pledges.example/api/v1/members")
    local = created_card(R, TOKEN, SHOWN, "http://127.0.0.1:8080")
    assert local.body.endswith("Only programs on the machine that I run on can reach this address.")


def test_the_list_has_each_with_its_last_use() -> None:
    assert "/patreon api create" in tokens_card(R, []).body
    used = replace(TOKEN, used_at=datetime(2026, 1, 2, 12, tzinfo=UTC))
    assert tokens_card(R, [TOKEN, used]).items == (
        "whitelist (number 7)\nNever used. Created by @1 on 1 January 2026.",
        "whitelist (number 7)\nLast used 2 January 2026, 12:00 UTC. Created by @1 on 1 January 2026.",
    )
    assert token_choice(R, TOKEN) == "whitelist (number 7)"


def test_what_became_of_it_is_said() -> None:
    assert revoked_card(R, TOKEN).body == (
        "The token whitelist doesn't work anymore: the program that used it can't read anything."
    )
    assert say_token_change(R, TokenChange.REVOKED, "whitelist", DiscordUserId(1)) == (
        "@1 revoked the API token whitelist. The program that used it can't read anything anymore."
    )
    assert say_token_change(R, TokenChange.CREATED, "whitelist", DiscordUserId(1)).startswith(
        "@1 created the API token whitelist."
    )
