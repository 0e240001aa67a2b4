"""Every table. The migrations build them; a test proves that both say the same.

Rules: Discord's ids are BIGINT and Patreon's are text, as each service sends them. Times are `UtcTime`. What the vault
sealed stands in a `Sealed` column and nowhere else. JSON is text that one aggregate writes and reads. A row's number is
never given to a second row: a table that numbers its rows says `sqlite_autoincrement` (a test looks).
Facts (memberships, reads, grants, audit) refer to a campaign by id alone: a fact may arrive before the campaign's name.
"""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, MetaData, Table, Text

from bot.storage.columns import ROW_ID, EnumText, Sealed, UtcTime

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

installation = Table(
    "installation",
    metadata,
    Column("name", Text, primary_key=True),  # what is remembered about this installation as a whole
    Column("text", Text, nullable=False),  # its value
)

leases = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),  # what only one process may do
    Column("owner", Text, nullable=False),  # a text that each process makes for itself
    Column("fence", BigInteger, nullable=False),  # one higher with each owner
    Column("until", BigInteger, nullable=False),  # microseconds since 1970, by the database's own clock
)

due = Table(
    "due",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    Column("discord_user_id", BigInteger, primary_key=True, autoincrement=False),  # 0: everyone in the guild
    Column("urgency", Integer, nullable=False),  # whose turn comes first: the lower
    Column("trigger", EnumText, nullable=False),  # the most urgent of what led to it
    Column("generation", BigInteger, nullable=False),  # another one with each fact that makes them due
    Column("since", BigInteger, nullable=False),  # when the first fact did; microseconds, by the database's own clock
    Column("noted_at", BigInteger, nullable=False),  # ... the newest
)

credentials = Table(
    "credentials",
    metadata,
    Column("credential_id", ROW_ID, primary_key=True),
    Column("patreon_user_id", Text, unique=True),  # empty: the settings' pair, and nobody knows yet whose it is
    Column("pair_sealed", Sealed, nullable=False),  # both tokens, as one sealed JSON
    Column("scopes", Text, nullable=False),  # space separated, sorted
    Column("expires_at", UtcTime, nullable=False),  # what Patreon stated; tokens die earlier
    Column("consented_at", UtcTime, nullable=False),  # when the exchange was asked for that this pair descends from
    Column("obtained_at", UtcTime, nullable=False),  # when this pair came
    Column("version", Integer, nullable=False),  # one more with each pair that takes the place of the one before
    Column("opens_campaigns", Boolean, nullable=False),  # not where Patreon refused it the owner's campaigns
    Column("refresh_started_at", UtcTime),  # a refresh was sent and its answer is not known
    Column("refused_at", UtcTime),  # Patreon refused a refresh, and did not say that the pair is dead
    Column("dead_at", UtcTime),  # Patreon answered 401 to a refresh
    Column("seed_fingerprint", Text),  # of the pair in the settings that this row stands for
    sqlite_autoincrement=True,
)

arrivals = Table(
    "arrivals",
    metadata,
    Column("arrival_id", ROW_ID, primary_key=True),
    Column("patreon_user_id", Text),  # empty: nobody knows yet whose pair it is; else it waits for the stored one's end
    Column("pair_sealed", Sealed, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Column("asked_at", UtcTime, nullable=False),  # before the exchange that brought it was sent
    Column("is_refused", Boolean, nullable=False),  # Patreon refused to say whose it is
    sqlite_autoincrement=True,
)

campaigns = Table(
    "campaigns",
    metadata,
    Column("campaign_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("currency", Text, nullable=False),  # ISO 4217
    Column("creator_user_id", Text),  # the creator's Patreon user
)

tiers = Table(
    "tiers",
    metadata,
    Column("campaign_id", ForeignKey("campaigns.campaign_id"), primary_key=True),
    Column("tier_id", Text, primary_key=True),
    Column("title", Text, nullable=False),
    Column("amount_cents", Integer, nullable=False),  # 0 is the Free tier
    Column("is_published", Boolean, nullable=False),
)

bindings = Table(
    "bindings",
    metadata,
    Column("guild_id", BigInteger, primary_key=True),
    Column("campaign_id", ForeignKey("campaigns.campaign_id"), primary_key=True, index=True),
    Column(
        "credential_id", ForeignKey("credentials.credential_id", ondelete="SET NULL"), index=True
    ),  # whose consent reads it here
    Column("by_settings", Boolean, nullable=False),  # bound by the settings, and not by a creator's own yes
    Column("bound_at", UtcTime, nullable=False),
)

guild_settings = Table(
    "guild_settings",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    Column("mode", EnumText, nullable=False),  # sync | grant_only | off
    Column("grace_days", Integer, nullable=False),
    Column("brake_percent", Integer, nullable=False),  # 100 is off
    Column("hand_edits", EnumText, nullable=False),  # respect | enforce
    Column("zero_link", Boolean, nullable=False),
    Column("decline_dm", Boolean, nullable=False),
    Column("log_channel_id", BigInteger),
    Column("language", Text, nullable=False),
)

role_rules = Table(
    "role_rules",
    metadata,
    Column("rule_id", ROW_ID, primary_key=True),
    Column("guild_id", BigInteger, nullable=False, index=True),
    Column("role_id", BigInteger, nullable=False),
    Column("campaign_id", ForeignKey("campaigns.campaign_id"), nullable=False),
    Column("kind", EnumText, nullable=False),  # what the rule asks for; the kinds stand in the model
    Column("tier_id", Text),  # where the kind asks for a tier
    Column("amount_cents", Integer),  # where the kind asks for an amount, in the campaign's currency
    Column("months", Integer),  # where the kind asks for months since the pledge began
    Column("created_by", BigInteger, nullable=False),  # the admin's Discord user
    Column("created_at", UtcTime, nullable=False),
    sqlite_autoincrement=True,
)

links = Table(
    "links",
    metadata,
    Column("discord_user_id", BigInteger, primary_key=True, autoincrement=False),
    Column("patreon_user_id", Text, nullable=False, unique=True),
    Column("patreon_name", Text, nullable=False),  # as Patreon gave it when the link was made
    Column("origin", EnumText, nullable=False),  # link | patreon
    Column(
        "credential_id", ForeignKey("credentials.credential_id", ondelete="SET NULL"), index=True
    ),  # the person's own consent
    Column("linked_at", UtcTime, nullable=False),
    Column("locale", Text),  # as Discord said it when they last used a command; empty: linked by report
    Column("ended_at", UtcTime, index=True),  # Patreon no longer reports it; kept until no grant rests on it
    Column("read_at", UtcTime),  # when their own consent last told all their memberships; empty: it never did
)

opt_outs = Table(
    "opt_outs",
    metadata,
    Column("discord_user_id", BigInteger, primary_key=True, autoincrement=False),
    Column("patreon_user_id", Text, index=True),  # to whom the person was linked, if they were
    Column("unlinked_at", UtcTime, nullable=False),
)

states = Table(
    "states",
    metadata,
    Column("state_id", ROW_ID, primary_key=True),
    Column("digest", Text, nullable=False, unique=True),  # SHA-256 of the state; the state itself is stored nowhere
    Column("purpose", EnumText, nullable=False),  # link | connect
    Column("discord_user_id", BigInteger, nullable=False),  # who typed the command
    Column("username", Text, nullable=False),  # their unique @username at that time
    Column("display_name", Text, nullable=False),
    Column("avatar_url", Text),
    Column("guild_id", BigInteger),  # where it was typed; empty in a DM
    Column("guild_name", Text, nullable=False),
    Column("guild_icon_url", Text),
    Column("locale", Text, nullable=False),
    Column("created_at", UtcTime, nullable=False, index=True),
    Column("expires_at", UtcTime, nullable=False),
    Column("used_at", UtcTime),  # when the callback used it up
    Column("cookie_digest", Text),  # SHA-256 of the cookie that belongs to the answer which used it up
    Column("landing", Text),  # JSON: what came of that answer; empty while Patreon is asked
    Column("voided_at", UtcTime),  # when a newer one of the same person took its place
    Column("button", Text),  # JSON: the message that carries the link button
    Column("button_token_sealed", Sealed),  # the interaction token of an ephemeral reply
    sqlite_autoincrement=True,
)

pendings = Table(
    "pendings",
    metadata,
    Column("pending_id", ROW_ID, primary_key=True),
    Column("state_id", ForeignKey("states.state_id", ondelete="CASCADE"), nullable=False, index=True),
    Column("cookie_digest", Text, nullable=False, unique=True),  # SHA-256 of the browser's cookie
    Column("patreon_user_id", Text, nullable=False),  # who consented
    Column("identity", Text, nullable=False),  # JSON: what Patreon said about them, bound campaigns only
    Column("campaigns", Text),  # JSON: the creator's campaigns, where a campaign is to be connected
    Column(
        "credential_id", ForeignKey("credentials.credential_id", ondelete="SET NULL"), index=True
    ),  # their pair; it is needed while the question is open
    Column("status", EnumText, nullable=False),  # pending | confirmed
    Column("result", Text),  # JSON: what the result page says
    Column("replaced", Text),  # JSON: the links that had to give way, until all that follows a confirmation is done
    Column("created_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False, index=True),
    sqlite_autoincrement=True,
)

memberships = Table(
    "memberships",
    metadata,
    Column("campaign_id", Text, primary_key=True),
    Column("patreon_user_id", Text, primary_key=True, index=True),
    Column("discord_user_id", BigInteger),  # where Patreon reports it
    Column("latest_read_at", UtcTime, nullable=False),  # start of the newest request that this row knows of
    Column("record", Text, nullable=False),  # JSON: the MembershipRecord
    Index("ix_memberships_reports", "campaign_id", "discord_user_id"),
)

nudges = Table(
    "nudges",
    metadata,
    Column("nudge_id", ROW_ID, primary_key=True),
    Column("campaign_id", Text, nullable=False, index=True),
    Column("patreon_user_id", Text, nullable=False),  # whom a webhook named
    Column("membership_id", Text),  # empty: API v1, which has none
    Column("noted_at", BigInteger, nullable=False),  # microseconds since 1970, by the database's own clock
    sqlite_autoincrement=True,
)

reads = Table(
    "reads",
    metadata,
    Column("read_id", ROW_ID, primary_key=True),
    Column("campaign_id", Text, nullable=False),
    Column("kind", EnumText, nullable=False),  # which source was read
    Column("started_at", UtcTime, nullable=False),
    Column("finished_at", UtcTime),  # empty: under way, or ended by a crash
    Column("is_complete", Boolean, nullable=False),  # proven to hold everybody
    Column("is_believed", Boolean, nullable=False),  # complete, and no anomaly
    Column("is_attributed", Boolean),  # each of its rows is somebody's; empty: it has not ended
    Column("anomalies", Text, nullable=False),  # JSON: a list of words
    Column("summary", Text, nullable=False),  # JSON: the numbers that the next read is compared with
    Index("ix_reads_campaign", "campaign_id", "read_id"),
    sqlite_autoincrement=True,
)

page_sizes = Table(
    "page_sizes",  # of the campaigns whose list Patreon does not give in pages of the largest size
    metadata,
    Column("campaign_id", Text, primary_key=True),
    Column("rows", Integer, nullable=False),  # how many it gives on a page
    Column("blamed_at", UtcTime, nullable=False),  # when it last failed at more
)

grants = Table(
    "grants",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    Column("discord_user_id", BigInteger, primary_key=True, autoincrement=False, index=True),
    Column("role_id", BigInteger, primary_key=True, autoincrement=False),
    Column("state", EnumText, nullable=False),  # granting | held | revoking | suppressed
    Column("since", UtcTime, nullable=False),  # when this state began
    Column("granted_at", UtcTime),  # when the role was first seen on the member
)

audit = Table(
    "audit",
    metadata,
    Column("audit_id", ROW_ID, primary_key=True),
    Column("at", UtcTime, nullable=False),
    Column("guild_id", BigInteger, nullable=False),
    Column("discord_user_id", BigInteger),  # whom it was about; empty: the guild as a whole
    Column("role_id", BigInteger),
    Column("action", EnumText, nullable=False),  # what was done
    Column("outcome", EnumText),  # of a change that was tried: what came of it
    Column("reason", Text, nullable=False),  # JSON: why, in codes and facts
    Column("trigger", EnumText, nullable=False),  # what led to it
    Column("read_id", BigInteger),  # the read whose facts decided
    Column("is_counted", Boolean, nullable=False),  # a revoke that counts for the brake
    Index("ix_audit_guild", "guild_id", "audit_id"),
    Index("ix_audit_counted", "guild_id", "is_counted", "at"),
    sqlite_autoincrement=True,
)

holds = Table(
    "holds",
    metadata,
    Column("hold_id", ROW_ID, primary_key=True),
    Column("guild_id", BigInteger, nullable=False, index=True),
    Column("opened_at", UtcTime, nullable=False),
    Column("closed_at", UtcTime),  # when an admin answered, or nothing of it was planned any more
    sqlite_autoincrement=True,
)

hold_items = Table(
    "hold_items",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    Column("discord_user_id", BigInteger, primary_key=True, autoincrement=False),
    Column("role_id", BigInteger, primary_key=True, autoincrement=False),
    Column("hold_id", ForeignKey("holds.hold_id", ondelete="CASCADE"), nullable=False),
    Column("state", EnumText, nullable=False),  # open | approved | discarded
    Column("mark", Text, nullable=False),  # tells the person's facts at that time from later ones
    Column("reason", Text, nullable=False),  # JSON: why the role was about to go, in codes and facts
)

webhooks = Table(
    "webhooks",
    metadata,
    Column("campaign_id", Text, primary_key=True),
    Column("webhook_id", Text, nullable=False),  # Patreon's name for it
    Column("uri", Text, nullable=False),  # where Patreon sends to
    Column("secret_sealed", Sealed, nullable=False),  # with which Patreon signs
)

notices = Table(
    "notices",
    metadata,
    Column("key", Text, primary_key=True),  # what the owner was told about
    Column("told_at", UtcTime, nullable=False),
    Column("text", Text, nullable=False),  # what they were told
)
