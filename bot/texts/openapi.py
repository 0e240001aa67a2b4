"""What the API's own description says to whoever writes a program: of the operations, the answers and their fields.

They speak English, as all that programmers read does, so these texts are not marked for translators.
`docs/integrate.md` says the same of the fields, word by word.
"""

from collections.abc import Mapping

TITLE = "Pledgekeeper"
ABOUT = (
    "Who in a Discord server is a patron, how they stand, for which tiers, and which roles the bot gave them. Names, "
    "e-mail addresses and amounts are never in an answer. A token belongs to one server and can only read. An "
    "administrator of the server creates it with /patreon api create."
)
TOKEN = "The token that /patreon api create showed."  # noqa: S105  a description

ONE = "Show one member"
ONE_ABOUT = (
    "Answers 404 for everyone who isn't in the server now, and for members of whom the bot knows neither a pledge nor "
    "a role: a program can treat them all as not entitled."
)
ALL = "List the members"
ALL_ABOUT = (
    "Everyone in the server of whom the bot knows a pledge or a role, in the order of their ids. Ask for the next page "
    "with after set to the value of next, until next is null."
)
PARAMETERS: Mapping[str, str] = {
    "discord_user_id": "The Discord user id.",
    "after": "Only members whose id is greater: the value of next in the last answer.",
    "limit": "How many members to list at most.",
    "If-None-Match": "The ETag of an earlier answer: if nothing has changed since, the answer is 304, without a body.",
}
ANSWERS: Mapping[int, str] = {
    200: "The answer.",
    304: "Nothing has changed since the answer with that ETag.",
    400: "A parameter can't be used.",
    401: "No token was sent, or one that doesn't work.",
    403: "A web page sent the request, so everyone who opens the page can read the token.",
    404: "Nobody with this id is in the server and known to be a patron, or to have a role from the bot.",
    429: "Too many requests.",
    500: "Something went wrong in the bot.",
    503: "The bot can't answer right now.",
}
HEADERS: Mapping[str, str] = {
    "ETag": "Names this very answer. Send it as If-None-Match with the next request.",
    "RateLimit": "How many requests are left, and in how many seconds all are there again.",
    "RateLimit-Policy": "How many requests a token may send in how many seconds.",
    "Retry-After": "In how many seconds to try again.",
    "WWW-Authenticate": "How to send a token.",
}
FIELDS: Mapping[str, Mapping[str, str]] = {
    "MemberAnswer": {
        "discord_user_id": "The Discord user id, as text: it is too large for the numbers of some languages.",
        "linked": "Whether the bot knows which Patreon account is theirs.",
        "standing": "How they stand with the server's campaigns. With several campaigns, the best one counts.",
        "tiers": "The tiers they are entitled to, of all campaigns of the server.",
        "roles": "The ids of the roles they have from the bot, by its own records.",
        "entitled_until": "When the standing ends by what is known now; null if no end is known.",
        "since": "When the pledge began, by Patreon's own record; for comp, when the role was given. Null if unknown.",
        "as_of": "When Patreon was last asked about it; null if it has told nothing about them.",
    },
    "MemberTier": {
        "id": "The tier's id at Patreon.",
        "title": "What the tier is called; empty if Patreon hasn't said.",
    },
    "MemberList": {
        "members": "The members of this page.",
        "next": "Where the next page begins; null on the last one.",
    },
    "ProblemDocument": {
        "type": "Always about:blank: the status says what kind of problem it is.",
        "title": "The status in words.",
        "status": "The status.",
        "detail": "What happened, and what to do now.",
    },
}
STANDINGS: Mapping[str, str] = {
    "active": "A paying patron, a gift or a free trial.",
    "ending": "Cancelled, but paid until entitled_until.",
    "grace": "The payment was declined. They keep everything until entitled_until.",
    "waiting": "Patreon shows nothing for a while that it showed before. They keep everything until entitled_until.",
    "comp": "Someone from the server's team gave them a role, and no pledge entitles them.",
    "lapsed": "Used to be a patron.",
    "free": "A free member.",
    "none": "The bot knows of no membership.",
}
ENTITLED = "entitled"
NOT_ENTITLED = "not entitled"
