// $user: id
MATCH (u:User {id: $user})
SET u.changed = CASE WHEN u.changed >= timestamp() THEN u.changed + 1 ELSE timestamp() END
REMOVE u.stale
