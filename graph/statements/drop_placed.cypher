// $item: id; $generation: its id. Takes off the similar items that the item was placed with, both ways, and closes the gap
// in the ranks of the others. What a model run computed stays. Gives whether there is such.
MATCH (i:Item {id: $item})
CALL (i) {
  MATCH (i)-[s:SIMILAR {generation: $generation, placed: true}]->()
  DELETE s
}
CALL (i) {
  MATCH (j)-[s:SIMILAR {generation: $generation, placed: true}]->(i)
  WITH j, s ORDER BY j.id
  SET j.lock = true
  SET j.changed = CASE WHEN j.changed >= timestamp() THEN j.changed + 1 ELSE timestamp() END
  REMOVE j.lock
  WITH j, s, s.rank AS rank
  DELETE s
  WITH j, rank
  MATCH (j)-[after:SIMILAR {generation: $generation}]->()
  WHERE after.rank > rank
  SET after.rank = after.rank - 1
}
RETURN EXISTS { (i)-[:SIMILAR {generation: $generation}]->() } AS learned
