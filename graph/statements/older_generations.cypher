// What generations of an older version lack: SIMILAR edges that name their trigger, and the lengths of item vectors.
MATCH (g:Generation)
WHERE g.names_triggers IS NULL OR g.length_property IS NULL
RETURN g.names_triggers IS NULL AS unnamed
