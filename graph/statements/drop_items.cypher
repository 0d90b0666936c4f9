// $after: id; $limit: items. Takes a generation off the next items in the order of their ids and gives the last id.
MATCH (j:Item)
WHERE j.id > $after
WITH j ORDER BY j.id LIMIT $limit
SET j[$direct_property] = null, j[$length_property] = null
WITH j
CALL (j) {
  MATCH (j)-[s:SIMILAR {generation: $generation}]->()
  DELETE s
}
RETURN max(j.id) AS last, count(*) AS nodes
