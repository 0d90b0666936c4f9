// $user: id; $limit: events of one transaction
MATCH (e:Event {user: $user})
WITH e LIMIT $limit
DELETE e
RETURN count(*) AS nodes
