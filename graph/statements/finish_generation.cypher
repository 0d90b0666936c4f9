MATCH (g:Generation {id: $generation, state: 'writing', missing: 0})
SET g.state = 'ready'
REMOVE g.users_written, g.items_written, g.interactions_written, g.similar_written
RETURN g.id AS id
