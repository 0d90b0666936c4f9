// One row a user
MATCH (u:User)
CALL (u) {
  MATCH (u)-[:HELD_OUT]->(i:Item)
  RETURN collect(i.id) AS ends
}
WITH * WHERE size(ends) > 0
RETURN u.id AS start, ends
