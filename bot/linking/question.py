"""What the confirm page asks. Pure: pending link, present holders and the time -> the question and its word.

another Discord account   this Discord account      word
holds this patron         holds another patron
no                        no                        confirm (skipped where Patreon reports the Discord account)
yes                       no                        held
no                        yes                       held
yes                       yes                       held
"""

import hashlib
import hmac
from datetime import datetime

import msgspec

from bot.domain.model import DiscordUserId, Identity, Link, PatreonUserId, Secret
from bot.linking.outcome import PageView, Question, Word
from bot.storage.pendings import Pending


class Holders(msgspec.Struct, frozen=True, kw_only=True):
    """The links that a new one would take the place of."""

    of_patron: Link | None  # another Discord account has this patron
    of_discord: Link | None  # this Discord account has another patron

    @property
    def is_free(self) -> bool:
        """Tell whether nothing has to give way."""
        return self.of_patron is None and self.of_discord is None


def other_holders(
    *, discord_user_id: DiscordUserId, patreon_user_id: PatreonUserId, by_discord: Link | None, by_patreon: Link | None
) -> Holders:
    """Pick, from the links of either account, those that join it to a third one."""
    return Holders(
        of_patron=by_patreon if by_patreon is not None and by_patreon.discord_user_id != discord_user_id else None,
        of_discord=by_discord if by_discord is not None and by_discord.patreon_user_id != patreon_user_id else None,
    )


def may_skip(identity: Identity, discord_user_id: DiscordUserId, holders: Holders) -> bool:
    """Tell whether nobody need be asked: Patreon itself reports this Discord account, and nothing has to give way."""
    return identity.discord_user_id == discord_user_id and holders.is_free


def build_question(pending: Pending, cookie: Secret, holders: Holders, now: datetime) -> PageView:
    """Return the page that asks."""
    state = pending.state
    question = Question(
        username=state.username,
        display_name=state.display_name,
        avatar_url=state.avatar_url,
        guild_name=state.guild_name,
        asked_at=state.created_at,
        shown_at=now,
        patreon_name=pending.identity.full_name,
        token=answer_token(cookie, holders),
        held_since=holders.of_patron.linked_at if holders.of_patron else None,
        replaces=holders.of_discord.patreon_name if holders.of_discord else None,
    )
    return PageView(word=Word.CONFIRM if holders.is_free else Word.HELD, question=question)


def answer_token(cookie: Secret, holders: Holders) -> Secret:
    """Return the token of the form that asks, in this browser, to take the place of `holders`.

    It is made from the browser's cookie, so a reload and a restart show the same one, and from the question itself:
    when another link came in between, the Yes to the old question does not fit the new one.
    """
    links = (holders.of_patron, holders.of_discord)
    asked = "|".join(f"{link.discord_user_id}={link.patreon_user_id}" if link else "-" for link in links)
    return Secret(hmac.new(cookie.reveal().encode(), asked.encode(), hashlib.sha256).hexdigest())
