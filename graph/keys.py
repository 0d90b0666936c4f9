"""API keys in the graph, hashed: `(:ApiKey {id, hash, name, role, created})`. The key itself is shown once."""

import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Literal, get_args

from graph.constraints import create_constraints
from graph.driver import Database
from graph.errors import NotFound, SettingsError
from graph.statements import statement

Role = Literal["read", "write", "admin"]  # each may do what those before it may
ROLES: tuple[Role, ...] = get_args(Role)
LONGEST_NAME = 100  # characters
KEY = re.compile(r"th_([a-z0-9]{12})_([A-Za-z0-9_-]{43})")
LOOKS_LIKE_ONE = re.compile(r"th_[a-z0-9]{12}_[A-Za-z0-9_-]+")  # anywhere in a text; such are told to nobody


@dataclass(frozen=True)
class ApiKey:
    id: str
    name: str
    role: Role
    hash: str
    created: datetime | None = None

    def opens(self, key: str) -> bool:
        """Whether this is the key, compared in constant time."""
        return hmac.compare_digest(self.hash, hash_key(key))


def hash_key(key: str) -> str:
    """SHA-256 in hex. A key has 256 random bits, so no slow hash is needed."""
    return sha256(key.encode()).hexdigest()


def new_key() -> tuple[str, str]:
    """(id, key) by random numbers made for secrets."""
    key_id = secrets.token_hex(6)
    return key_id, f"th_{key_id}_{secrets.token_urlsafe(32)}"


def create_key(database: Database, name: str, role: Role) -> tuple[str, str]:
    """Store a new key and give (id, key): nobody can read the key again. Raises `SettingsError`."""
    if role not in ROLES:
        raise SettingsError(f"role {role!r} does not exist: use {', '.join(ROLES)}")
    if not name.strip() or not name.isprintable() or len(name) > LONGEST_NAME:
        raise SettingsError(f"a key's name has 1 to {LONGEST_NAME} printable characters, such as who uses it")
    create_constraints(database)
    key_id, key = new_key()
    database.write(statement("create_key"), {"id": key_id, "hash": hash_key(key), "name": name, "role": role})
    return key_id, key


def list_keys(database: Database) -> list[ApiKey]:
    """All keys, the oldest first."""
    rows = database.read(statement("keys"))
    return [ApiKey(**row | {"created": row["created"].to_native()}) for row in rows]


def revoke_key(database: Database, key_id: str) -> None:
    """Raises `NotFound`."""
    if not database.write(statement("revoke_key"), {"id": key_id})[0]["keys"]:
        raise NotFound(f"key {key_id!r} does not exist: see twohop keys list")
