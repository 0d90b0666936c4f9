// $item: id; $generation: id of a ready one; $k: neighbours of an item; $rows: maps {id, weight}, sorted by id. A new item
// among the neighbours of other items: at the rank that its weight deserves; those after it move by one, and the one that
// is no longer among the $k leaves. The SET locks each before its neighbours are read.
MATCH (:Generation {id: $generation, state: 'ready'})
MATCH (i:Item {id: $item})
UNWIND $rows AS row
MATCH (j:Item {id: row.id})
SET j.lock = true
SET j.changed = CASE WHEN j.changed >= timestamp() THEN j.changed + 1 ELSE timestamp() END
REMOVE j.lock
WITH i, j, row
CALL (j, row) {
  MATCH (j)-[s:SIMILAR {generation: $generation}]->(other)
  WHERE other <> j
  WITH s, s.weight > row.weight OR s.weight = row.weight AND other.id < $item AS better
  RETURN coalesce(max(CASE WHEN better THEN s.rank END), 0) AS above, collect(CASE WHEN NOT better THEN s END) AS after
}
WITH i, j, row, above, after
WHERE above < $k
CREATE (j)-[:SIMILAR {trigger: j.id, generation: $generation, rank: above + 1, weight: row.weight, placed: true}]->(i)
WITH after
UNWIND after AS s
SET s.rank = s.rank + 1
WITH s WHERE s.rank > $k
DELETE s
