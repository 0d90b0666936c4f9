// $item: id; $limit: edges of one transaction. Its users, locked in the order of their ids, wait for new weights.
MATCH (i:Item {id: $item})<-[r:INTERACTED]-(u:User)
WITH u, r ORDER BY u.id LIMIT $limit
SET u.stale = true
DELETE r
RETURN count(*) AS nodes
