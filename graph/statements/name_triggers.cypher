// $after: id; $limit: items. Names the trigger on the SIMILAR edges of the next items, in the order of their ids, and gives
// the last id; then nothing is left of an older version.
MATCH (j:Item)
WHERE j.id > $after
WITH j ORDER BY j.id LIMIT $limit
CALL (j) {
  MATCH (j)-[s:SIMILAR]->()
  WHERE s.trigger IS NULL
  SET s.trigger = j.id
}
RETURN max(j.id) AS last, count(*) AS items
