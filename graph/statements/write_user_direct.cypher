// $rows: maps {id, direct}; $start, $end: rows of this generation written before and after this transaction. It does
// nothing, and gives no row, where it was done before. The first SET locks the generation before it is read.
MATCH (g:Generation {id: $generation})
SET g.lock = true
WITH g WHERE g.state = 'writing' AND g.users_written = $start
CALL (g) {
  UNWIND $rows AS row
  MATCH (n:User {id: row.id})
  CALL (g, n, row) {
    WITH g, n, row WHERE size(row.direct) > 0
    CALL db.create.setNodeVectorProperty(n, g.direct_property, row.direct)
  }
  RETURN count(*) AS written
}
SET g.users_written = $end, g.missing = g.missing + $end - $start - written
RETURN g.missing AS missing
