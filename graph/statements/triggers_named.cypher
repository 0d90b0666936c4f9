// Says that the edges of all generations name their triggers.
MATCH (g:Generation)
WHERE g.names_triggers IS NULL
SET g.names_triggers = true
