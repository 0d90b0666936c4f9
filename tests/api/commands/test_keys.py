"""`twohop keys create|list|revoke`."""

import json

import pytest

from tests.api.conftest import answer, refused, twohop

pytestmark = pytest.mark.usefixtures("shop")


def test_a_key_is_made_shown_once_and_revoked() -> None:
    made = json.loads(twohop("keys", "create", "--role", "write", "--name", "the shop's backend", "--json").stdout)
    assert set(made) == {"id", "role", "name", "key"}
    assert made["key"].startswith(f"th_{made['id']}_")
    (listed,) = [row for row in answer("keys", "list") if row["id"] == made["id"]]
    assert {name: listed[name] for name in ("id", "name", "role")} == {
        name: made[name] for name in ("id", "name", "role")
    }
    shown = twohop("keys", "list").stdout
    assert "the shop's backend" in shown
    assert made["key"] not in shown + json.dumps(listed)
    assert twohop("keys", "revoke", made["id"]).stdout == f"Key {made['id']} is revoked.\n"
    assert made["id"] not in twohop("keys", "list").stdout
    assert "twohop keys list" in refused("keys", "revoke", made["id"])


def test_the_text_for_people_has_the_key_on_a_line_of_its_own() -> None:
    told, key = twohop("keys", "create", "--role", "read", "--name", "a dashboard").stdout.splitlines()
    assert told.startswith("Key ")
    assert key.startswith("th_")
    assert twohop("keys", "revoke", key.split("_")[1]).exit_code == 0


@pytest.mark.parametrize("name", ["", " ", "a\nb", "\x1b[2J", "x" * 101])
def test_names_that_nobody_could_read(name: str) -> None:
    assert "printable" in refused("keys", "create", "--role", "read", "--name", name)


def test_unknown_roles_are_wrong_usage() -> None:
    assert twohop("keys", "create", "--role", "root", "--name", "a").exit_code == 2
