// $user: id; $generation: id of a ready one; $direct: p_u; $weights: item id to e^t of all items that the user had. Only
// what changed is written.
MATCH (g:Generation {id: $generation, state: 'ready'})
MATCH (u:User {id: $user})
CALL (g, u) {
  WITH g, u WHERE size($direct) > 0
  CALL db.create.setNodeVectorProperty(u, g.direct_property, $direct)
}
WITH u, g.weight_property AS weight_property
MATCH (u)-[r:INTERACTED]->(i)
WITH weight_property, r, $weights[i.id] AS weight
WHERE weight IS NOT NULL AND coalesce(r[weight_property] <> weight, true)
SET r[weight_property] = weight
