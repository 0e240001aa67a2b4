"""A membership record as text: JSON that says nothing twice, for there is one of each patron in each campaign.

    what                                      is stored
    the two ids                               as the row's key alone
    what is as it is by default               not at all
    `memory.last_active_*`, as `believed`     as one word: they repeat it as long as somebody is an active patron

A record of an earlier version says all of it, and is read alike.
"""

from typing import Any

import msgspec

from bot.domain.model import CampaignId, Membership, MembershipRecord, Memory, PatreonUserId

_NOTHING = msgspec.Raw(b"")
_NULL = b"null"
_REPEATED = {  # what is remembered of the last active reading, and where that reading says it
    "last_active_at": "read_started_at",
    "last_active_tier_ids": "tier_ids",
    "last_active_cents": "entitled_cents",
    "last_active_will_pay_cents": "will_pay_cents",
    "last_active_cadence_months": "cadence_months",
}
_NO_MEMORY = Memory()
_FORGOTTEN: dict[str, Any] = {name: getattr(_NO_MEMORY, name) for name in _REPEATED}


class _Stored(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The text's outline."""

    believed: msgspec.Raw = _NOTHING
    unproven: msgspec.Raw = _NOTHING
    memory: Memory | None = None
    is_active: bool = False  # `believed` is the last active reading


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Stored).decode
_decode_reading = msgspec.json.Decoder(Membership).decode


def write_record(record: MembershipRecord) -> str:
    """Write a record as the text that stands beside its two ids."""
    head = _head(record.campaign_id, record.patreon_user_id)
    memory, is_active = record.memory, _repeats(record)
    if is_active:
        memory = msgspec.structs.replace(memory, **_FORGOTTEN)
    stored = _Stored(
        believed=_write(record.believed, head),
        unproven=_write(record.unproven, head),
        memory=None if memory == _NO_MEMORY else memory,
        is_active=is_active,
    )
    return _encode(stored).decode()


def read_record(campaign_id: CampaignId, patreon_user_id: PatreonUserId, text: str) -> MembershipRecord:
    """Read the text that stands beside two ids."""
    head, stored = _head(campaign_id, patreon_user_id), _decode(text)
    believed, memory = _read(stored.believed, head), stored.memory or _NO_MEMORY
    if stored.is_active and believed is not None:
        memory = msgspec.structs.replace(memory, **{name: getattr(believed, its) for name, its in _REPEATED.items()})
    return MembershipRecord(
        campaign_id=campaign_id,
        patreon_user_id=patreon_user_id,
        believed=believed,
        unproven=_read(stored.unproven, head),
        memory=memory,
    )


def _head(campaign_id: CampaignId, patreon_user_id: PatreonUserId) -> bytes:
    """Return with what the JSON of each reading of these two begins."""
    return b'{"campaign_id":%b,"patreon_user_id":%b,' % (_encode(campaign_id), _encode(patreon_user_id))


def _repeats(record: MembershipRecord) -> bool:
    """Tell whether what is remembered of the last active reading is what the believed one says."""
    memory, believed = record.memory, record.believed
    return believed is not None and all(
        getattr(memory, name) == getattr(believed, its) for name, its in _REPEATED.items()
    )


def _write(reading: Membership | None, head: bytes) -> msgspec.Raw:
    """Write a reading without its ids."""
    if reading is None:
        return _NOTHING
    text = _encode(reading)
    return msgspec.Raw(b"{" + text.removeprefix(head) if text.startswith(head) else text)


def _read(text: msgspec.Raw, head: bytes) -> Membership | None:
    """Read a reading with its ids before it; those of its own, if any, count."""
    raw = bytes(text)
    return None if raw in {b"", _NULL} else _decode_reading(head + raw[1:])
