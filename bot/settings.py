"""What the operator set, from the environment, `.env` and a folder of secrets. The only place that reads them.

Blank means unset. A wrong or missing value stops the start: `load_settings` names every such setting at once, with what
is wrong and an example of a right value, and never the value itself. What a validator raises holds a SettingFault and
its facts; `bot/texts/causes.py` has the words. `.env.example` documents the same fields.
"""

import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError, ValidationInfo, field_validator
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
)

from bot import __version__
from bot.domain.addresses import CALLBACK_PATH, is_loopback, parse_origin, parse_url
from bot.domain.errors import SettingFault, SettingsInvalid, Setup, WrongSetting
from bot.domain.model import CampaignId, GuildId, Secret
from bot.storage import postgresql, vault

NO_DOTENV = "PLEDGEKEEPER_NO_DOTENV"  # set to anything: the environment counts, no file does
SECRETS_FOLDERS = (Path("secrets"), Path("/run/secrets"))  # the second is where Docker puts them
DOTENV = Path(".env")
USER_AGENT = f"Pledgekeeper/{__version__} - Discord roles by pledge"  # how we name ourselves to the two services
MAX_SNOWFLAKE = 2**63 - 1
LONGEST_INTERVAL_SECONDS = 24 * 3600

BOT_TOKEN = re.compile(r"[A-Za-z0-9_-]{18,}\.[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{20,}")

# What pydantic itself finds, by the type of its error (its docs, Validation Errors).
PYDANTIC_FAULTS = {
    "missing": SettingFault.MISSING,
    "string_pattern_mismatch": SettingFault.ODD_SIGN,
    "int_parsing": SettingFault.NOT_A_NUMBER,
    "int_parsing_size": SettingFault.NOT_A_NUMBER,
    "greater_than_equal": SettingFault.TOO_SMALL,
    "less_than_equal": SettingFault.TOO_LARGE,
    "literal_error": SettingFault.NOT_A_CHOICE,
    "bool_parsing": SettingFault.NOT_A_SWITCH,
}


def _secret(value: object) -> object:
    if not isinstance(value, str):
        return value
    if not re.fullmatch(r"[!-~]+", value):
        raise ValueError(SettingFault.NOT_PLAIN)
    return Secret(value)


def _token(value: object) -> object:
    """Check the shape of a bot's token: its id, a time and a signature in base64 (discord-api-docs, Reference)."""
    secret = _secret(value)
    if isinstance(value, str) and not BOT_TOKEN.fullmatch(value):
        raise ValueError(SettingFault.NOT_A_BOT_TOKEN)
    return secret


def _digits(value: object) -> object:
    if isinstance(value, str) and not re.fullmatch(r"[0-9]{1,20}", value):
        raise ValueError(SettingFault.NOT_DIGITS)
    return value


SecretText = Annotated[Secret, BeforeValidator(_secret)]
TokenText = Annotated[Secret, BeforeValidator(_token)]
Url = Annotated[str, BeforeValidator(parse_url)]


class _Filled(PydanticBaseSettingsSource):
    """A source without its blanks: spaces around a value are never meant, and a value of spaces is unset."""

    def __init__(self, source: PydanticBaseSettingsSource) -> None:
        super().__init__(source.settings_cls)
        self._source = source

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        return self._source.get_field_value(field, field_name)

    def __call__(self) -> dict[str, Any]:
        stripped = {name: value.strip() if isinstance(value, str) else value for name, value in self._source().items()}
        return {name: value for name, value in stripped.items() if value != ""}


class Settings(BaseSettings):
    """Every setting; the environment's names are these in capitals."""

    model_config = SettingsConfigDict(
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        arbitrary_types_allowed=True,
        validate_default=True,
    )

    discord_token: TokenText = Field(examples=["MTIzNDU2Nzg5MDEyMzQ1Njc4.GhIjKl.and-27-or-more-letters-after-it"])
    discord_api_url: Url = Field("https://discord.com/api/v10", examples=["https://discord.com/api/v10"])
    discord_guild_id: Annotated[GuildId | None, BeforeValidator(_digits)] = Field(
        None, ge=1, le=MAX_SNOWFLAKE, examples=["123456789012345678"]
    )
    patreon_url: Url = Field("https://www.patreon.com", examples=["https://www.patreon.com"])
    patreon_client_id: str = Field(pattern=r"^[!-~]+$", examples=["AbCdEf0123456789-_AbCdEf0123456789"])
    patreon_client_secret: SecretText = Field(examples=["another-long-text-of-that-page"])
    patreon_creator_access_token: SecretText | None = Field(None, examples=["the-creators-access-token"])
    patreon_creator_refresh_token: SecretText | None = Field(None, examples=["the-creators-refresh-token"])
    patreon_campaign_id: Annotated[CampaignId | None, BeforeValidator(_digits)] = Field(None, examples=["1234567"])
    patreon_api_version: Literal["v1", "v2"] = Field("v2", examples=["v2"])
    patreon_webhook_secret: SecretText | None = Field(None, examples=["the-secret-that-patreon-shows-for-the-webhook"])
    public_url: Annotated[str, BeforeValidator(parse_origin)] = Field(examples=["https://pledges.example.org"])
    web_host: str = Field("127.0.0.1", pattern=r"^[0-9A-Za-z.:_-]+$", examples=["127.0.0.1"])
    web_port: int = Field(8080, ge=1, le=65535, examples=["8080"])
    database_url: str = Field(
        "sqlite+aiosqlite:///data/pledgekeeper.db",
        repr=False,  # it may hold a password
        examples=["sqlite+aiosqlite:///data/pledgekeeper.db"],
    )
    database_listen_url: str | None = Field(
        None,
        repr=False,  # as above
        examples=["postgresql://user:password@host/name"],
    )
    encryption_keys: Annotated[tuple[Secret, ...], NoDecode] = Field(examples=["<new key>,<old key>"])
    sync_interval_seconds: int = Field(300, ge=1, le=LONGEST_INTERVAL_SECONDS, examples=["300"])
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = Field("INFO", examples=["INFO"])
    log_format: Literal["console", "json"] = Field("console", examples=["console"])
    metrics_token: SecretText | None = Field(None, examples=["a-long-random-text"])
    clock_url: Url | None = Field(None, examples=["http://127.0.0.1:8400/clock"])
    hooks_allow_loopback: bool = Field(False, examples=["false"])

    @property
    def redirect_uri(self) -> str:
        """Where Patreon sends people back to; it must be registered there letter by letter."""
        return self.public_url + CALLBACK_PATH

    @property
    def is_database_shared(self) -> bool:
        """Tell whether several processes may work on the database: a file has one."""
        return not self.database_url.startswith("sqlite")

    @property
    def is_https(self) -> bool:
        """Tell whether browsers reach us by TLS."""
        return self.public_url.startswith("https://")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Drop what is blank from each source by itself, so that the next one counts."""
        folders = getattr(file_secret_settings, "secrets_dir", None) or []
        secrets = [SecretsSettingsSource(settings_cls, folder) for folder in reversed(folders)]
        return tuple(_Filled(source) for source in (init_settings, env_settings, dotenv_settings, *secrets))

    @field_validator("log_level", "log_format", "patreon_api_version", mode="before")
    @classmethod
    def _any_case(cls, value: object, info: ValidationInfo) -> object:
        if not isinstance(value, str):
            return value
        return value.upper() if info.field_name == "log_level" else value.lower()

    @field_validator("patreon_creator_refresh_token")
    @classmethod
    def _whole_pair(cls, refresh_token: Secret | None, info: ValidationInfo) -> Secret | None:
        if "patreon_creator_access_token" not in info.data:
            return refresh_token  # that one is wrong, and said to be
        has_access_token = info.data["patreon_creator_access_token"] is not None
        if has_access_token and refresh_token is None:
            raise ValueError(SettingFault.PAIR_LACKS_REFRESH)
        if not has_access_token and refresh_token is not None:
            raise ValueError(SettingFault.PAIR_LACKS_ACCESS)
        return refresh_token

    @field_validator("patreon_campaign_id")
    @classmethod
    def _some_campaign(cls, campaign_id: CampaignId | None, info: ValidationInfo) -> CampaignId | None:
        if campaign_id is None and info.data.get("patreon_creator_access_token", ...) is None:
            raise ValueError(SettingFault.NO_TOKEN_TELLS_IT)
        return campaign_id

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, url: str) -> str:
        return _read_database_url(url)

    @field_validator("database_listen_url")
    @classmethod
    def _known_server(cls, url: str | None) -> str | None:
        return None if url is None else _read_server_url(url, otherwise=SettingFault.NO_SERVER_WE_KNOW)

    @field_validator("encryption_keys", mode="before")
    @classmethod
    def _fernet_keys(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        keys = tuple(Secret(part.strip()) for part in value.split(",") if part.strip())
        if not keys:
            raise ValueError(SettingFault.MISSING)
        for number, key in enumerate(keys, start=1):
            if not vault.is_key(key):
                raise ValueError(SettingFault.NOT_A_KEY, {"number": number, "total": len(keys)})
        return keys

    @field_validator("clock_url", "hooks_allow_loopback")
    @classmethod
    def _only_in_tests(cls, value: str | bool | None, info: ValidationInfo) -> str | bool | None:
        services = [info.data.get(name, "") for name in ("discord_api_url", "patreon_url")]
        if value and not all(map(is_loopback, services)):
            raise ValueError(SettingFault.FOR_TESTS_ONLY)
        return value


def check_database_url(url: str) -> str:
    """Return the address of a database as the setting would be; SettingsInvalid where it is none."""
    try:
        return _read_database_url(url)
    except ValueError as error:
        example = str(Settings.model_fields["database_url"].examples[0])  # type: ignore[index]
        raise SettingsInvalid(Setup.SETTINGS_WRONG, WrongSetting("--to", error.args[0], example)) from None


def _read_database_url(url: str) -> str:
    """Take the address of a SQLite file, or of a database that a PostgreSQL server has."""
    scheme, _, place = url.partition("://")
    if scheme == "sqlite+aiosqlite" and place.startswith("/"):
        if place in {"/", "/:memory:"}:
            raise ValueError(SettingFault.NO_FILE)
        return url
    return _read_server_url(url, otherwise=SettingFault.NO_DATABASE_WE_KNOW)


def _read_server_url(url: str, *, otherwise: SettingFault) -> str:
    scheme, _, place = url.partition("://")
    if scheme not in {"postgresql", "postgres", "postgresql+psycopg"}:
        raise ValueError(otherwise)
    if not postgresql.is_address(f"postgresql://{place}"):
        raise ValueError(SettingFault.NO_DATABASE_ADDRESS)
    return f"postgresql://{place}"


def find_dotenv() -> Path | None:
    """Return the `.env` that counts, where there is one."""
    return DOTENV if DOTENV.is_file() and not os.environ.get(NO_DOTENV) else None


def load_settings() -> Settings:
    """Read and check every setting; SettingsInvalid names all that are wrong."""
    files: dict[str, Any] = {}
    if not os.environ.get(NO_DOTENV):
        files["_env_file"] = DOTENV
        files["_secrets_dir"] = [folder for folder in SECRETS_FOLDERS if folder.is_dir()] or None
    try:
        return Settings(**files)
    except ValidationError as refused:
        errors = refused.errors(include_url=False, include_input=False)
    except (OSError, UnicodeDecodeError) as unreadable:
        raise SettingsInvalid(Setup.SETTINGS_UNREADABLE, reason=type(unreadable).__name__) from None
    raise SettingsInvalid(Setup.SETTINGS_WRONG, *map(_read_error, errors))


def _read_error(error: ErrorDetails) -> WrongSetting:
    """Take from pydantic's error what holds no value."""
    name = str(error["loc"][0])
    (example,) = Settings.model_fields[name].examples or [""]
    context = error.get("ctx", {})
    if error["type"] == "value_error":
        fault, *facts = context["error"].args
        return WrongSetting(name.upper(), fault, example, *facts)
    bounds = {"least": context.get("ge"), "most": context.get("le"), "expected": context.get("expected")}
    facts = {fact: value for fact, value in bounds.items() if value is not None}
    return WrongSetting(name.upper(), PYDANTIC_FAULTS[error["type"]], example, facts)
