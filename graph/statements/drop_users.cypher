// $after: id; $limit: users. Takes a generation off the next users in the order of their ids and gives the last id.
MATCH (u:User)
WHERE u.id > $after
WITH u ORDER BY u.id LIMIT $limit
SET u[$direct_property] = null
WITH u
CALL (u) {
  MATCH (u)-[r:INTERACTED]->()
  WHERE r[$weight_property] IS NOT NULL
  SET r[$weight_property] = null
}
RETURN max(u.id) AS last, count(*) AS nodes
