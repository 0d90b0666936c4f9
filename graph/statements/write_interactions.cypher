// $rows: maps {user, weights: item id to weight}; $start, $end: edges of this generation written before and after this
// transaction. It does nothing, and gives no row, where it was done before. The first SET locks the generation before
// it is read.
MATCH (g:Generation {id: $generation})
SET g.lock = true
WITH g WHERE g.state = 'writing' AND g.interactions_written = $start
CALL (g) {
  UNWIND $rows AS row
  MATCH (u:User {id: row.user})-[r:INTERACTED]->(i)
  WITH g.weight_property AS weight_property, r, row.weights[i.id] AS weight
  WHERE weight IS NOT NULL
  SET r[weight_property] = weight
  RETURN count(*) AS written
}
SET g.interactions_written = $end, g.missing = g.missing + $end - $start - written
RETURN g.missing AS missing
