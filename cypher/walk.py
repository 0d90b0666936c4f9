"""How far a two-hop walk goes, unless a caller says otherwise."""

TRIGGERS = 300  # m, of a user
NEIGHBOURS = 100  # k, of a trigger


def shortlist_for(n: int, asked: int | None = None) -> int:
    """Candidates that get their direct path, for a list of `n`; longer lists reach further down."""
    return 50 + 10 * n if asked is None else max(asked, n)
