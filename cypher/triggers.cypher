// A user's triggers: the interactions with the greatest weights, with what happened.
// :param user => '1';          id of the user
// :param m => 300;             triggers to return
// :param bucket => null;       0 to 9999, of a user: below share * 10000 the challenger's weights; null: the live ones
MATCH (serving:Serving {id: 'weights'})
MATCH (g:Generation {
  id: coalesce(CASE WHEN $bucket < serving.share * 10000 THEN serving.challenger END, serving.generation)
})
WITH g.id AS generation, g.weight_property AS weight_property,
     CASE WHEN g.id = serving.generation THEN 'control' ELSE 'challenger' END AS variant
MATCH (:User {id: $user})-[r:INTERACTED]->(trigger)
WHERE r[weight_property] IS NOT NULL
WITH generation, variant, trigger, r, r[weight_property] AS weight ORDER BY weight DESC, trigger.id LIMIT $m
RETURN trigger.id AS id, trigger.title AS title, weight, r.count AS count, r.last_time AS last_time,
       r.last_position AS last_position, generation, variant
ORDER BY weight DESC, id
