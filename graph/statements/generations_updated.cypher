// Says that the edges of all generations name their triggers, and that items have the lengths of their vectors.
MATCH (g:Generation)
WHERE g.names_triggers IS NULL OR g.length_property IS NULL
SET g.names_triggers = true, g.length_property = 'direct_length_' + g.id
