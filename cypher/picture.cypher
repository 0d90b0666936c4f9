// The graph behind a user's best items: user -> triggers -> items, the strongest paths of each item. Look at it as a
// graph in Neo4j Browser.
// :param user => '1';          id of the user
// :param m => 300;             triggers: the user's interactions with the greatest weights
// :param k => 100;             neighbours of each trigger
// :param n => 5;               items to show, the best by their paths
// :param paths => 3;           paths to show of each item
MATCH (serving:Serving {id: 'weights'})
MATCH (g:Generation {id: serving.generation})
WITH g.id AS generation, g.weight_property AS weight_property
MATCH (u:User {id: $user})-[r:INTERACTED]->(trigger)
WHERE r[weight_property] IS NOT NULL
WITH generation, u, r, trigger, r[weight_property] AS weight ORDER BY weight DESC, trigger.id LIMIT $m
MATCH (trigger)-[s:SIMILAR {trigger: trigger.id, generation: generation}]->(item)
USING INDEX s:SIMILAR(trigger, generation, rank, weight)
WHERE s.rank <= $k AND s.weight > 0 AND coalesce(item.available, true)
  AND NOT EXISTS { (u)-[:INTERACTED]->(item) }
WITH u, item, r, trigger, s, log(1 + weight * s.weight) AS path ORDER BY path DESC, trigger.id
WITH u, item, sum(path) AS total, collect([r, trigger, s]) AS strongest
ORDER BY total DESC, item.id LIMIT $n
UNWIND strongest[..$paths] AS one
RETURN u, one[0] AS interacted, one[1] AS trigger, one[2] AS similar, item
