// After all of $similar edges should be written at once, not in batches: counts them. The first SET locks the
// generation before it is read.
MATCH (g:Generation {id: $generation})
SET g.lock = true
WITH g WHERE g.state = 'writing'
CALL (g) {
  MATCH (:Item)-[s:SIMILAR {generation: g.id}]->()
  RETURN count(s) AS written
}
SET g.similar_written = g.similar, g.missing = g.missing + g.similar - written
RETURN g.missing AS missing
