"""Patreon's words for where a patron stands. What each entitles to is `entitlement.py`'s."""

import enum


class PatronStatus(enum.StrEnum):
    """Patreon's `patron_status` (API v2 docs, Member). v1 pledges are read as ACTIVE or DECLINED."""

    ACTIVE = "active_patron"
    DECLINED = "declined_patron"
    FORMER = "former_patron"
    NEVER = ""  # null: a follower or free member who never pledged
    UNKNOWN = "?"  # a word that Patreon added after this was written
