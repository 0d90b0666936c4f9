// $user: id. The user is locked before the items are read; no row: nobody has this id.
MATCH (u:User {id: $user})
SET u.lock = true
REMOVE u.lock
WITH count(*) AS locked
MATCH (u:User {id: $user})
RETURN COLLECT { MATCH (u)-[:INTERACTED]->(i) RETURN i.id ORDER BY i.id } AS items
