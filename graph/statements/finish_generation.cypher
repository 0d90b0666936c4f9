// The REMOVE locks the generation until the end of the transaction; nothing of it is read before.
MATCH (g:Generation {id: $generation})
REMOVE g.lock
WITH g WHERE g.state = 'writing' AND g.missing = 0
SET g.state = 'ready'
REMOVE g.users_written, g.items_written, g.interactions_written, g.similar_written
RETURN g.id AS id
