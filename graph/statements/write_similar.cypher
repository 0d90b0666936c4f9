// $targets: item ids, each once; $rows: maps {source, targets: places in $targets, weights, ranks}; $start, $end: edges
// of this generation written before and after this transaction. It does nothing, and gives no row, where it was done
// before, so no edge is there twice. The first SET locks the generation before it is read.
MATCH (g:Generation {id: $generation})
SET g.lock = true
WITH g WHERE g.state = 'writing' AND g.similar_written = $start
CALL (g) {
  UNWIND $targets AS target
  OPTIONAL MATCH (i:Item {id: target})
  WITH g.id AS generation, collect({node: i}) AS targets
  UNWIND $rows AS row
  MATCH (j:Item {id: row.source})
  UNWIND range(0, size(row.targets) - 1) AS x
  WITH generation, j, targets[row.targets[x]].node AS i, row.weights[x] AS weight, row.ranks[x] AS rank
  WHERE i IS NOT NULL
  CREATE (j)-[:SIMILAR {trigger: j.id, generation: generation, rank: rank, weight: weight}]->(i)
  RETURN count(*) AS written
}
SET g.similar_written = $end, g.missing = g.missing + $end - $start - written
RETURN g.missing AS missing
