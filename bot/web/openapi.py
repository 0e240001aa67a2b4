"""The API's own description (OpenAPI 3.1), made from the types that its answers are made of.

A field that has no description fails at the start. `tests/bot/web/test_openapi.py` holds it against real answers.
"""

from typing import Any

import msgspec

from bot.domain.addresses import API_PATH
from bot.domain.member_answer import MemberAnswer, MemberList, MemberStanding
from bot.texts import openapi as texts
from bot.web.api import MOST_ON_A_PAGE, USUAL_ON_A_PAGE
from bot.web.problems import CONTENT_TYPE, ProblemDocument

VERSION = "1.0.0"  # of the agreement, not of the bot

_ID = {"type": "string", "pattern": "^[0-9]{1,20}$"}
_ALWAYS = (401, 403, 429, 500, 503)


def describe_api(public_url: str) -> bytes:
    """Return the description, as JSON."""
    return msgspec.json.encode(
        {
            "openapi": "3.1.0",
            "info": {"title": texts.TITLE, "version": VERSION, "description": texts.ABOUT},
            "servers": [{"url": public_url}],
            "security": [{"token": []}],
            "paths": {
                f"{API_PATH}/members": {
                    "get": _operation(
                        "listMembers",
                        (texts.ALL, texts.ALL_ABOUT),
                        MemberList,
                        [
                            _parameter("after", "query", _ID),
                            _parameter(
                                "limit",
                                "query",
                                {
                                    "type": "integer",
                                    "minimum": 1,
                                    "maximum": MOST_ON_A_PAGE,
                                    "default": USUAL_ON_A_PAGE,
                                },
                            ),
                        ],
                        fails=400,
                    )
                },
                f"{API_PATH}/members/{{discord_user_id}}": {
                    "get": _operation(
                        "showMember",
                        (texts.ONE, texts.ONE_ABOUT),
                        MemberAnswer,
                        [_parameter("discord_user_id", "path", _ID)],
                        fails=404,
                    )
                },
            },
            "components": {
                "schemas": _schemas(),
                "securitySchemes": {
                    "token": {"type": "http", "scheme": "bearer", "description": texts.TOKEN},
                },
            },
        }
    )


def _operation(
    name: str, about: tuple[str, str], answer: type[msgspec.Struct], parameters: list[dict[str, Any]], *, fails: int
) -> dict[str, Any]:
    summary, description = about
    limits = ("RateLimit", "RateLimit-Policy")
    return {
        "operationId": name,
        "summary": summary,
        "description": description,
        "parameters": [*parameters, _parameter("If-None-Match", "header", {"type": "string"})],
        "responses": {
            "200": _response(200, ("ETag", *limits), "application/json", answer),
            "304": _response(304, ("ETag", *limits)),
            **{
                str(status): _response(status, _headers(status), CONTENT_TYPE, ProblemDocument)
                for status in (fails, *_ALWAYS)
            },
        },
    }


def _headers(status: int) -> tuple[str, ...]:
    return {401: ("WWW-Authenticate",), 429: ("Retry-After",)}.get(status, ())


def _parameter(name: str, place: str, schema: dict[str, Any]) -> dict[str, Any]:
    said = {"name": name, "in": place, "description": texts.PARAMETERS[name], "schema": schema}
    return said | ({"required": True} if place == "path" else {})


def _response(
    status: int, headers: tuple[str, ...], content_type: str = "", body: type[msgspec.Struct] | None = None
) -> dict[str, Any]:
    said: dict[str, Any] = {"description": texts.ANSWERS[status]}
    if headers:
        said["headers"] = {name: {"description": texts.HEADERS[name], "schema": {"type": "string"}} for name in headers}
    if body is not None:
        said["content"] = {content_type: {"schema": {"$ref": f"#/components/schemas/{body.__name__}"}}}
    return said


def _schemas() -> dict[str, Any]:
    """Return the schemas of all answers, each field with what it means."""
    _, schemas = msgspec.json.schema_components(
        [MemberAnswer, MemberList, ProblemDocument], ref_template="#/components/schemas/{name}"
    )
    for name, fields in texts.FIELDS.items():
        schemas[name].pop("description", None)  # it is what the code says to its own readers
        for field, schema in schemas[name]["properties"].items():
            schemas[name]["properties"][field] = {**schema, "description": fields[field]}
    schemas[MemberStanding.__name__]["description"] = "\n".join(
        f"- `{one}` ({texts.ENTITLED if one.is_entitled else texts.NOT_ENTITLED}): {texts.STANDINGS[one]}"
        for one in MemberStanding
    )
    return schemas
