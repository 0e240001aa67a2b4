"""The headers that every answer carries, whatever it says; how it may be kept, an answer may say itself."""

from multidict import CIMultiDict

from bot.web.render import AVATAR_HOST, STYLE_HASH

# Only our own style (by hash), Discord's avatars and forms to ourselves; no script, no frame, no base.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        f"style-src '{STYLE_HASH}'",
        f"img-src {AVATAR_HOST}",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
NOT_KEPT = {"Cache-Control": "no-store"}
SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Referrer-Policy": "no-referrer",  # the callback's address holds a code and a state
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Server": "Pledgekeeper",  # aiohttp would name its version, and Python's
}


def secure(headers: CIMultiDict[str]) -> None:
    """Add them to an answer's own."""
    headers.update(SECURITY_HEADERS)
    for name, value in NOT_KEPT.items():
        headers.setdefault(name, value)
