// $before: ms since 1970; $limit: nodes of one transaction. What was deleted so long ago that no projection asks for it.
MATCH (r:Removed)
WHERE r.at < $before
WITH r LIMIT $limit
DELETE r
RETURN count(*) AS nodes
