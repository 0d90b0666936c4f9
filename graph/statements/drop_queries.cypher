// $limit: queries of one transaction
MATCH (q:Query)
WITH q LIMIT $limit
DETACH DELETE q
RETURN count(*) AS nodes
