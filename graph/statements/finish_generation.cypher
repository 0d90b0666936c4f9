// The first SET locks the generation until the end of the transaction before it is read.
MATCH (g:Generation {id: $generation})
SET g.lock = true
WITH g WHERE g.state = 'writing' AND g.missing = 0
SET g.state = 'ready'
REMOVE g.users_written, g.items_written, g.interactions_written, g.similar_written
RETURN g.id AS id
