// $items: ids of triggers; $generation: id of one; $named: candidates by their ids, else by Neo4j's own numbers. The edges
// of each trigger as aligned lists in the order of their ranks.
UNWIND $items AS id
MATCH (j:Item {id: id})
CALL (j) {
  MATCH (j)-[s:SIMILAR]->(i:Item)
  WHERE s.generation = $generation
  WITH s, i ORDER BY s.rank
  RETURN collect(CASE WHEN $named THEN i.id ELSE id(i) END) AS ends, collect(s.weight) AS weights,
         collect(s.rank) AS ranks
}
RETURN id, ends, weights, ranks
