"""Which of Patreon's two API versions a client is registered for."""

import enum


class PatreonApi(enum.StrEnum):
    """The settings' word for it."""

    V1 = "v1"
    V2 = "v2"
