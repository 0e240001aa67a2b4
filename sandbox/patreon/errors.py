"""How the stand-in says no: to a person, to an OAuth client, to an API client."""

from typing import Any
from uuid import uuid4


class ActionError(Exception):
    """Something that a person cannot do now; the message says why."""


class OAuthError(Exception):
    """A refusal of the token endpoint: plain OAuth JSON, not JSON:API."""

    def __init__(self, status: int, error: str, description: str | None = None) -> None:
        super().__init__(error)
        self.status = status
        self.body = {"error": error}
        if description is not None:
            self.body["error_description"] = description


class ApiError(Exception):
    """A refusal of the API: one JSON:API error object in `errors`."""

    def __init__(
        self, status: int, name: str, detail: str, *, parameter: str | None = None, retry_after: int | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.retry_after = retry_after
        error: dict[str, Any] = {
            "code": 1 if name == "Unauthorized" else None,
            "code_name": name,
            "detail": detail,
            "id": str(uuid4()),
            "status": str(status),
            "title": detail.partition(".")[0],
        }
        if parameter is not None:
            error["source"] = {"parameter": parameter}
        if retry_after is not None:
            error["retry_after_seconds"] = retry_after
        self.body = {"errors": [error]}


def unauthorized() -> ApiError:
    """The same words for a bad token and for a missing scope (patreon-go, error_test.go)."""
    return ApiError(
        401, "Unauthorized", "The server could not verify that you are authorized to access the URL requested."
    )


def bad_request(detail: str, parameter: str | None = None) -> ApiError:
    """A request that the API does not understand."""
    return ApiError(400, "BadRequest", detail, parameter=parameter)


def not_found(what: str) -> ApiError:
    """Something that does not exist, or is another client's."""
    return ApiError(404, "NotFound", f"{what} was not found.")


def forbidden(detail: str) -> ApiError:
    """Something that exists and is not yours."""
    return ApiError(403, "Forbidden", detail)


def throttled(retry_after: int) -> ApiError:
    """Too many requests (Patreon docs, Rate limits)."""
    return ApiError(
        429,
        "RequestThrottled",
        f"Request was throttled. Try again in {retry_after} seconds.",
        retry_after=retry_after,
    )


def not_served(what: str) -> ApiError:
    """Something that Patreon has and this stand-in has not."""
    return ApiError(501, "NotServedHere", f"The stand-in for Patreon does not serve {what}.")
