// $users: ids; $weight_property, $direct_property: of e^t and p_u; $named: items by their ids, else by Neo4j's own numbers.
// What each had as aligned lists; the weight is -1 where the generation has none.
UNWIND $users AS id
MATCH (u:User {id: id})
CALL (u) {
  MATCH (u)-[r:INTERACTED]->(i:Item)
  RETURN collect(CASE WHEN $named THEN i.id ELSE id(i) END) AS ends,
         collect(coalesce(r[$weight_property], -1.0)) AS weights
}
RETURN id, u[$direct_property] AS direct, ends, weights
