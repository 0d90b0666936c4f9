// $after: id; $limit: items. Writes |q_i| of the next items, in the order of their ids, for the generations that lack it,
// and q_i itself in single precision; gives the last id, then nothing is left of an older version.
MATCH (i:Item)
WHERE i.id > $after
WITH i ORDER BY i.id LIMIT $limit
CALL (i) {
  MATCH (g:Generation)
  WHERE g.length_property IS NULL AND size(i[g.direct_property]) > 0
  SET i['direct_length_' + g.id] = sqrt(reduce(total = 0.0, x IN i[g.direct_property] | total + x * x))
  WITH g, i
  CALL db.create.setNodeVectorProperty(i, g.direct_property, i[g.direct_property])
}
RETURN max(i.id) AS last, count(*) AS items
