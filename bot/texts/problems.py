"""What programs are told when a request fails, for whoever wrote them: what happened, and what to do now.

They speak English, as all that programmers read does, so these messages are not marked for translators.
"""

import enum
from collections.abc import Mapping


class Problem(enum.StrEnum):
    """Why a request of a program was not answered."""

    NO_TOKEN = "no token"  # noqa: S105  a code
    WRONG_TOKEN = "wrong token"  # noqa: S105  a code
    FROM_A_PAGE = "from a page"
    NO_MEMBER = "no member"
    NO_PATH = "no path"
    WRONG_METHOD = "wrong method"
    LIMIT_UNUSABLE = "limit unusable"
    AFTER_UNUSABLE = "after unusable"
    TOO_MANY = "too many"
    REFUSED = "refused"
    LATER = "later"
    BROKEN = "broken"


PROBLEMS: Mapping[Problem, str] = {
    Problem.NO_TOKEN: (
        "Send a token with the request: Authorization: Bearer pk_... An administrator of the Discord server creates "
        "one with /patreon api create."
    ),
    Problem.WRONG_TOKEN: (
        "This token doesn't work. Check that it was copied in full. If it was revoked, ask an administrator of the "
        "Discord server for a new one."
    ),
    Problem.FROM_A_PAGE: (
        "A web page sent this request, so everyone who opens the page can read the token. Send it from your server "
        "instead, and have the token revoked."
    ),
    Problem.NO_MEMBER: "Nobody with this id is in the server and known to be a patron, or to have a role from the bot.",
    Problem.NO_PATH: "There's nothing at this address. /api/openapi.json lists what there is.",
    Problem.WRONG_METHOD: "This API only reads. Use GET.",
    Problem.LIMIT_UNUSABLE: "limit must be a whole number from 1 to 500.",
    Problem.AFTER_UNUSABLE: "after must be a Discord user id: the value of next in the last answer.",
    Problem.TOO_MANY: "Too many requests. Try again after the number of seconds in the Retry-After header.",
    Problem.REFUSED: "The request can't be read. Send a GET request without a body.",
    Problem.LATER: "The bot can't answer right now. Try again in a minute.",
    Problem.BROKEN: "Something went wrong in the bot. Try again. If it keeps happening, tell whoever runs it.",
}
BY_STATUS: Mapping[int, Problem] = {
    404: Problem.NO_PATH,
    405: Problem.WRONG_METHOD,
    500: Problem.BROKEN,
    503: Problem.LATER,
}
