"""Which users get the challenger's weights: the same ones at every request, on every server."""

import hashlib

BUCKETS = 10_000


def bucket(user: str) -> int:
    """0 to 9,999, as good as drawn: users below share * 10,000 get the challenger, where there is one."""
    return int.from_bytes(hashlib.sha256(user.encode("utf-8", "surrogatepass")).digest()[:8], "big") % BUCKETS
