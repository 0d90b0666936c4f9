"""What a user still needs for what the user is up to."""

from dataclasses import dataclass

from cypher.filters import NO_FILTERS, Filters
from cypher.pursued import LEAST
from cypher.user import user as find_user
from cypher.variants import VariantName
from graph.driver import Database
from graph.errors import StoreError
from graph.statements import statement


@dataclass(frozen=True)
class NeededItem:
    """An item with its reason: for `sentence` you still need `category_name`.

    `path` is the two-hop score of the item (0: none, it came by popularity), `need` how much the intent needs its
    category.
    """

    id: str
    title: str | None
    path: float
    category: str
    category_name: str
    intent: str
    sentence: str
    need: float


@dataclass(frozen=True)
class NeededItems:
    """`items`, the paths of which are of `generation`; None where no generation is live."""

    user: str
    generation: int | None
    variant: VariantName | None
    items: tuple[NeededItem, ...]


def user_complements(
    database: Database,
    user: str,
    n: int = 10,
    *,
    intents: int = 3,
    needs: int = 8,
    least: float = LEAST,
    each: int = 2,
    m: int = 100,
    k: int = 50,
    covered_days: int | None = None,
    filters: Filters = NO_FILTERS,
    bucket: int | None = None,
) -> NeededItems:
    """At most `n` items that complete the user's top `intents`, `each` of one category at most, `least`: see `pursued`.

    `filters`, `bucket` as in `recommend`. Raises `NotFound` for an unknown user or category and `StoreError` where
    intents were never linked.
    """
    given = {
        "user": user, "n": n, "intents": intents, "needs": needs, "least": least, "each": each, "m": m, "k": k,
        "covered_days": covered_days, "bucket": bucket, **filters.parameters(),
    }  # fmt: skip
    rows = database.read(statement("user_complements", "cypher"), given)
    if not rows:
        known = find_user(database, user, bucket)
        if not database.read(statement("intents_state")):
            raise StoreError("the intents of users are not worked out: run twohop intents link")
        filters.check(database)
        return NeededItems(user, known.generation, known.variant, ())
    generation, variant = rows[0]["generation"], rows[0]["variant"]
    found = tuple(NeededItem(**{name: row[name] for name in NeededItem.__dataclass_fields__}) for row in rows)
    return NeededItems(user, generation, variant, found)
