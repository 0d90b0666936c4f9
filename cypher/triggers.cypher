// A user's triggers: the interactions with the greatest weights, with what happened.
// :param user => '1';          id of the user
// :param m => 300;             triggers to return
MATCH (serving:Serving {id: 'weights'})
MATCH (g:Generation {id: serving.generation})
WITH g.id AS generation, g.weight_property AS weight_property
MATCH (:User {id: $user})-[r:INTERACTED]->(trigger)
WHERE r[weight_property] IS NOT NULL
WITH generation, trigger, r, r[weight_property] AS weight ORDER BY weight DESC, trigger.id LIMIT $m
RETURN trigger.id AS id, trigger.title AS title, weight, r.count AS count, r.last_time AS last_time,
       r.last_position AS last_position, generation
ORDER BY weight DESC, id
