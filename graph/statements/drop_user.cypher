// $user: id; $key: what projections know the user by, which does not tell the id; the items are locked
MATCH (u:User {id: $user})
CALL (u) {
  MATCH (u)-[:INTERACTED]->(i)
  WHERE i.popularity > 0
  SET i.popularity = i.popularity - 1
}
DETACH DELETE u
CREATE (:Removed {kind: 'user', key: $key, at: timestamp()})
