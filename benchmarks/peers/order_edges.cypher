// Gives the edges of a peer what a SIMILAR edge carries. $generation: its id.
MATCH (j:Item)
CALL (j) {
  MATCH (j)-[s:SIMILAR]->(i)
  WITH s, i ORDER BY s.weight DESC, i.id
  WITH collect(s) AS edges
  UNWIND range(0, size(edges) - 1) AS x
  WITH edges[x] AS s, x + 1 AS rank
  SET s.trigger = j.id, s.generation = $generation, s.rank = rank
} IN TRANSACTIONS OF 100 ROWS
