// Weighs each trigger by how far back it is: half for each $half steps. PDN learns these weights, the library has none.
MATCH (u:User)
CALL (u) {
  MATCH (u)-[r:INTERACTED]->(item)
  WITH r, item ORDER BY r.last_time DESC, r.last_position DESC, item.id
  WITH collect(r) AS edges
  UNWIND range(0, size(edges) - 1) AS x
  WITH edges[x] AS r, 0.5 ^ (toFloat(x) / $half) AS weight
  SET r.weight_steps = CASE WHEN weight < 1e-9 THEN 1e-9 ELSE weight END
} IN TRANSACTIONS OF 200 ROWS
