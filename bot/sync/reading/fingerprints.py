"""What is remembered, in memory, of each patron's last reading in one campaign, so that a read without news is cheap.

Rebuilt from storage after a start. Holds numbers and names of people, never a reading: memory follows patrons. Only
`pages` has something of everybody listed; it is not rebuilt, for the next read fills it.
"""

from collections.abc import Iterable
from datetime import datetime

from bot.domain.entitlement import BLANK_PATIENCE
from bot.domain.model import MembershipRecord, Memory, PatreonUserId
from bot.domain.new_reading import ACCOUNT_PATIENCE, GONE, fingerprint, known_account
from bot.patreon.protocol.unchanged import KnownPages


class KnownReadings:
    """One campaign's patrons as they were last stored."""

    def __init__(self) -> None:
        self.pages = KnownPages()  # what bytes say, not what became of it
        self.fingerprints: dict[PatreonUserId, int] = {}
        self.restless: set[PatreonUserId] = set()  # their standing changes with time alone
        self.doubted: set[PatreonUserId] = set()  # their latest reading is not believed yet
        self.reported: set[PatreonUserId] = set()  # of whom Patreon names a Discord account, or did until a day ago
        self.unread: set[PatreonUserId] = set()  # some value of their latest reading could not be read
        self.twofold: set[PatreonUserId] = set()  # who had several rows in the last read
        self.forgotten: set[PatreonUserId] = set()  # of whom storage may know what is not remembered, or nothing
        self.unknown_words: set[str] = set()  # statuses of Patreon's that this version does not know
        # Whose account was named before; None: no day began.
        self._lost_since: dict[PatreonUserId, datetime | None] = {}
        self._second_looks: dict[PatreonUserId, datetime] = {}  # from when an unchanged reading is news

    def is_news(self, record: MembershipRecord) -> bool:
        """Tell whether a record says something else than what is remembered."""
        return self.fingerprints.get(record.patreon_user_id) != _mark(record)

    def note(self, records: Iterable[MembershipRecord]) -> bool:
        """Remember records as they were just stored; tell whether any says something else than what was remembered."""
        has_news = False
        for record in records:
            patron, memory = record.patreon_user_id, record.memory
            latest = record.unproven or record.believed
            self.unknown_words.update(() if latest is None else latest.unknown_words)
            has_news |= self.is_news(record)
            self.fingerprints[patron] = mark = _mark(record)
            self.forgotten.discard(patron)
            keep(self.reported, patron, is_in=known_account(record) is not None)
            if memory.lost_account is None:
                self._lost_since.pop(patron, None)
            else:
                self._lost_since[patron] = memory.lost_since
            keep(self.doubted, patron, is_in=record.unproven is not None)
            keep(self.unread, patron, is_in=latest is not None and bool(latest.unread) and mark != GONE)
            is_in_grace = memory.gone_since is not None and latest is not None and latest.membership_id is None  # v1
            keep(self.restless, patron, is_in=bool(memory.declined_since or memory.tierless_since or is_in_grace))
            due = None if latest is None else _second_look(memory, latest.read_started_at)
            if due is not None:
                self._second_looks[patron] = due
            else:
                self._second_looks.pop(patron, None)
        return has_news

    def note_ordinary(self, patron: PatreonUserId, mark: int, *, is_reported: bool) -> None:
        """Remember somebody of whom nothing was remembered, and of whom a mark says all."""
        self.fingerprints[patron] = mark
        keep(self.reported, patron, is_in=is_reported)

    def forget(self, patron: PatreonUserId) -> None:
        """Compare this patron's next reading with storage: somebody else stored a newer one."""
        self.fingerprints.pop(patron, None)
        self.forgotten.add(patron)

    def second_looks(self, now: datetime) -> frozenset[PatreonUserId]:
        """Return the active patrons without a tier, or money, whose reading is news by now even if it says the same."""
        return frozenset(patron for patron, due in self._second_looks.items() if now >= due)

    def lost_accounts(self, now: datetime) -> set[PatreonUserId]:
        """Return whose account was named before and is not: whose day has not begun, or is over by now."""
        return {
            patron for patron, since in self._lost_since.items() if since is None or now - since >= ACCOUNT_PATIENCE
        }

    def still_listed(self) -> set[PatreonUserId]:
        """Return everyone whom no complete read has missed yet."""
        return {patron for patron, mark in self.fingerprints.items() if mark != GONE}

    def expected(self) -> set[PatreonUserId]:
        """Return everyone whom a complete read may be the first to miss."""
        return self.still_listed() | self.forgotten

    def is_gone(self, patron: PatreonUserId) -> bool:
        """Tell whether a complete read has missed this patron already."""
        return self.fingerprints.get(patron) == GONE


def _mark(record: MembershipRecord) -> int:
    latest = record.unproven or record.believed
    is_gone = latest is None or (record.memory.gone_since is not None and record.unproven is None)
    return GONE if latest is None or is_gone else fingerprint(latest)


def _second_look(memory: Memory, read_at: datetime) -> datetime | None:
    """Return when a reading that says the same as the one of `read_at` becomes news, by whatever is blank in it."""
    began = (memory.tierless_since, memory.centless_since, *memory.unlisted_since.values())
    due = [since + BLANK_PATIENCE for since in began if since is not None and read_at < since + BLANK_PATIENCE]
    return min(due, default=None)


def keep(people: set[PatreonUserId], patron: PatreonUserId, *, is_in: bool) -> None:
    """Put a patron into a set, or take them out."""
    if is_in:
        people.add(patron)
    else:
        people.discard(patron)
