// $rows: maps {id, stale}, sorted by id; makes those that are not there. SET locks the user until the commit; a stale
// user waits for new weights.
UNWIND $rows AS row
MERGE (u:User {id: row.id})
FOREACH (_ IN CASE WHEN row.stale THEN [true] ELSE [] END | SET u.stale = true)
