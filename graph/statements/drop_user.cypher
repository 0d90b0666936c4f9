// $user: id; the items are locked
MATCH (u:User {id: $user})
CALL (u) {
  MATCH (u)-[:INTERACTED]->(i)
  WHERE i.popularity > 0
  SET i.popularity = i.popularity - 1
}
DETACH DELETE u
