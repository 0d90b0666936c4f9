// Generations of an older version, whose SIMILAR edges do not name their trigger.
MATCH (g:Generation)
WHERE g.names_triggers IS NULL
RETURN g.id AS id
