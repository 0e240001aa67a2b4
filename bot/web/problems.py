"""What programs are told when something goes wrong: problem documents (RFC 9457).

Their type is `about:blank`: the status says what happened, and there is no address that would lead to the documentation
of every copy of the bot. What to do now is in `detail`.
"""

from collections.abc import Mapping
from http import HTTPStatus

import msgspec
from aiohttp import web

from bot.texts.problems import BY_STATUS, PROBLEMS, Problem

API_ROOT = "/api/"
CONTENT_TYPE = "application/problem+json"


class ProblemDocument(msgspec.Struct, frozen=True, kw_only=True):
    """Why a request was not answered."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str


class ProblemFound(Exception):
    """Ends the work on a request with a problem document."""

    def __init__(self, status: int, problem: Problem, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(problem)
        self.status = status
        self.problem = problem
        self.headers = headers or {}


def to_problem(status: int, problem: Problem | None = None, headers: Mapping[str, str] | None = None) -> web.Response:
    """Answer with a problem document; without a problem, by what the status alone says."""
    named = problem or BY_STATUS.get(status, Problem.REFUSED)
    document = ProblemDocument(title=HTTPStatus(status).phrase, status=status, detail=PROBLEMS[named])
    return web.Response(
        status=status, body=msgspec.json.encode(document), content_type=CONTENT_TYPE, headers=dict(headers or {})
    )
