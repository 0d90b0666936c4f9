// $rows: maps {id, stale}, sorted by id; makes those that are not there. SET locks each until the commit; a stale user
// waits for new weights. Gives how many are there once all are locked: one may be deleted while its lock is waited for.
// The first SET reads nothing of the node and so locks the node alone. One that reads what it sets locks the groups of its
// edges first, as MERGE of an edge does: who has the node may be about to want those, and each would wait for the other.
UNWIND $rows AS row
MERGE (u:User {id: row.id})
SET u.lock = true
SET u.stale = CASE WHEN row.stale THEN true ELSE u.stale END,
    u.changed = CASE WHEN u.changed >= timestamp() THEN u.changed + 1 ELSE timestamp() END
REMOVE u.lock
WITH count(*) AS locked
UNWIND $rows AS row
MATCH (u:User {id: row.id})
RETURN count(*) AS users
