"""The cards of `/patreon api …`: the tokens of the programs that may read who is a patron."""

from collections.abc import Sequence

from bot.domain.addresses import API_PATH, is_loopback
from bot.domain.api_token import ApiToken, TokenChange
from bot.domain.model import DiscordUserId, Secret
from bot.texts.card import CHOICE_LENGTH, Card, Outcome, cut
from bot.texts.renderer import N_, Renderer, Text

_CHANGES = {
    TokenChange.CREATED: N_(
        "{admin} created the API token **{label}**. Whoever has it can see who in this server is a patron, for which "
        "tier, and which roles I gave them."
    ),
    TokenChange.REVOKED: N_(
        "{admin} revoked the API token **{label}**. The program that used it can't read anything anymore."
    ),
    TokenChange.ENDED: N_(
        "I was removed from this server, so the API token **{label}** ended. The program that used it can't read "
        "anything anymore."
    ),
}


def created_card(r: Renderer, token: ApiToken, shown: Secret, public_url: str) -> Card:
    """Show a new token, this once."""
    lines = [
        r.say(
            "Copy the token for **{label}** now: I won't show it again. Keep it as safe as a password, and out of web "
            "pages and public code.",
            label=token.label,
        ),
        r.code(shown.reveal()),
        r.say(
            "Whoever has it can see who in this server is a patron, for which tier, and which roles I gave them. They "
            "can't see names, e-mail addresses or amounts, and they can't change anything."
        ),
        r.say("Programs ask here: {address}", address=r.address(f"{public_url}{API_PATH}/members")),
    ]
    if is_loopback(public_url):
        lines.append(r.say("Only programs on the machine that I run on can reach this address."))
    return Card(Outcome.DONE, r.say("Token created"), r.lines(lines))


def tokens_card(r: Renderer, tokens: Sequence[ApiToken]) -> Card:
    """List the tokens."""
    if not tokens:
        said = r.say(
            "No program may read who is a patron here. `/patreon api create` makes a token for one: a game server's "
            "whitelist, a website or another bot."
        )
        return Card(Outcome.INFO, r.say("API tokens"), said)
    return Card(Outcome.INFO, r.say("API tokens"), r.lines([]), items=tuple(_say_token(r, one) for one in tokens))


def revoked_card(r: Renderer, token: ApiToken) -> Card:
    """Say that a token works no more."""
    said = r.say(
        "The token **{label}** doesn't work anymore: the program that used it can't read anything.", label=token.label
    )
    return Card(Outcome.DONE, r.say("Token revoked"), said)


def token_choice(r: Renderer, token: ApiToken) -> str:
    """Say, for whoever is typing, which token a number stands for."""
    return cut(r.say("{label} (number {id})", label=token.label, id=r.id(token.token_id)), CHOICE_LENGTH)


def say_token_change(r: Renderer, change: TokenChange, label: str, by: DiscordUserId | None) -> Text:
    """Say to the server's team what became of a token, and by whom."""
    admin = {} if by is None else {"admin": r.person(by)}
    return r.say(_CHANGES[change], label=label, **admin)


def _say_token(r: Renderer, token: ApiToken) -> Text:
    used = r.say("Never used.") if token.used_at is None else r.say("Last used {when}.", when=token.used_at)
    made = r.say("Created by {admin} on {day}.", admin=r.person(token.created_by), day=r.day(token.created_at))
    named = r.say("**{label}** (number {id})", label=token.label, id=r.id(token.token_id))
    return r.lines([named, r.join(used, made)])
