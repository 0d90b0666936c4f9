"""Settings from the environment and `.env`: `TWOHOP_*` for the project, `NEO4J_*` for a server of your own."""

import re
from functools import cached_property
from pathlib import Path

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from graph.errors import SettingsError

MEMORY_SIZE = re.compile(r"[1-9][0-9]*[kmg]", re.IGNORECASE)
STORE_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
RATE = re.compile(r"[1-9][0-9]{0,8}/(second|minute|hour|day)")
UNITS = {"k": 2**10, "m": 2**20, "g": 2**30}


class Settings(BaseSettings):
    """All settings. Times are in seconds. Environment variables win over `.env`.

    Raises `SettingsError` through `load_settings` only; pydantic's own error never reaches a user.
    """

    # The prefix keeps the fields' own names, which only code uses, from being read as `HOME` or `DATA`.
    model_config = SettingsConfigDict(env_file=".env", extra="ignore", populate_by_name=True, env_prefix="TWOHOP_")

    home: Path = Field(Path(".twohop"), alias="TWOHOP_HOME", description="folder that holds all stores")
    store: str = Field("complete-journey", alias="TWOHOP_STORE", description="one store is one graph")
    data: Path | None = Field(None, alias="TWOHOP_DATA", description="folder with raw data sets")
    heap: str = Field("2g", alias="TWOHOP_HEAP", description="Java heap of the managed server")
    page_cache: str = Field("1g", alias="TWOHOP_PAGE_CACHE", description="page cache of the managed server")
    bolt_port: int | None = Field(
        None, alias="TWOHOP_BOLT_PORT", ge=1, le=65535, description="unset: 7687 or next free"
    )
    http_port: int | None = Field(
        None, alias="TWOHOP_HTTP_PORT", ge=1, le=65535, description="unset: 7474 or next free"
    )
    start_timeout: float = Field(
        300.0, alias="TWOHOP_START_TIMEOUT", gt=0, description="recovery after a crash included"
    )
    stop_timeout: float = Field(120.0, alias="TWOHOP_STOP_TIMEOUT", gt=0)
    maven_url: str | None = Field(None, alias="TWOHOP_MAVEN_URL", description="Maven repository; unset: Maven Central")

    neo4j_uri: str | None = Field(None, alias="NEO4J_URI", description="set: that server; unset: a managed one")
    neo4j_username: str = Field("neo4j", alias="NEO4J_USERNAME")
    neo4j_password: SecretStr | None = Field(None, alias="NEO4J_PASSWORD")
    neo4j_database: str = Field("neo4j", alias="NEO4J_DATABASE")
    connect_timeout: float = Field(5.0, alias="NEO4J_CONNECT_TIMEOUT", gt=0)
    acquire_timeout: float = Field(10.0, alias="NEO4J_ACQUIRE_TIMEOUT", gt=0, description="wait for a free connection")
    retry_time: float = Field(15.0, alias="NEO4J_RETRY_TIME", gt=0)

    rate_limit: str = Field("200/second", alias="TWOHOP_RATE_LIMIT", description="requests that one key may send")
    concurrency: int = Field(40, alias="TWOHOP_CONCURRENCY", ge=1, le=1000, description="requests worked on at once")
    body_limit: str = Field("8m", alias="TWOHOP_BODY_LIMIT", description="largest body of a request")
    stream_limit: str = Field("1g", alias="TWOHOP_STREAM_LIMIT", description="largest stream of events")
    request_timeout: float = Field(30.0, alias="TWOHOP_REQUEST_TIMEOUT", gt=0, description="for a whole request")
    idle_timeout: float = Field(
        10.0, alias="TWOHOP_IDLE_TIMEOUT", gt=0, description="for the head of a request, and between parts of its body"
    )

    @field_validator("store")
    @classmethod
    def _store_is_a_folder_name(cls, name: str) -> str:
        if not STORE_NAME.fullmatch(name):
            raise ValueError("a store's name has 1 to 64 of a-z 0-9 . _ - and starts with a letter or digit")
        return name

    @field_validator("neo4j_uri", "maven_url")
    @classmethod
    def _empty_uri_is_none(cls, uri: str | None) -> str | None:
        return uri or None

    @field_validator("rate_limit")
    @classmethod
    def _rate_is_a_rate(cls, rate: str) -> str:
        if not all(RATE.fullmatch(part.strip()) for part in rate.split(";")):
            raise ValueError("a rate is such as 200/second, also several: 200/second;5000/minute")
        return rate

    @field_validator("heap", "page_cache", "body_limit", "stream_limit")
    @classmethod
    def _memory_is_a_size(cls, size: str) -> str:
        if not MEMORY_SIZE.fullmatch(size):
            raise ValueError("a size is a whole number and k, m or g, such as 512m")
        return size

    @property
    def managed(self) -> bool:
        """True where the server is started by Twohop itself."""
        return self.neo4j_uri is None

    @cached_property
    def store_folder(self) -> Path:
        """Absolute folder of this store: the managed server, artefacts, quarantine files."""
        return (self.home.expanduser() / self.store).resolve()

    @property
    def artefacts_folder(self) -> Path:
        return self.store_folder / "artefacts"

    @property
    def intents_folder(self) -> Path:
        """Tuned encoders of shopping intents. They are of the language, not of a store, so all stores share them."""
        return (self.home.expanduser() / "_encoders").resolve()  # no store's name begins with _

    @property
    def projection_folder(self) -> Path:
        """Files of the engine `projection`: made from the graph whenever they are not there."""
        return self.store_folder / "projection"

    @property
    def quarantine_folder(self) -> Path:
        return self.store_folder / "quarantine"

    @property
    def exposures_file(self) -> Path:
        """What was displayed where and when: read by the Bias Net in training only, so kept beside the graph."""
        return self.store_folder / "exposures.parquet"


def bytes_of(size: str) -> int:
    """Bytes of a size such as `8m`."""
    return int(size[:-1]) * UNITS[size[-1].lower()]


def load_settings(store: str | None = None) -> Settings:
    """Read the settings; `store` wins over the environment. Raises `SettingsError` with one line."""
    try:
        return Settings(**({"store": store} if store else {}))  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise SettingsError(
            f"setting {name} = {first['input']!r}: {first['msg'].removeprefix('Value error, ')}"
        ) from None
