// The two hops of recommend, counted only.
MATCH (serving:Serving {id: 'weights'})
MATCH (g:Generation {id: serving.generation})
WITH g.id AS generation, g.weight_property AS weight_property
MATCH (:User {id: $user})-[r:INTERACTED]->(trigger)
WHERE r[weight_property] IS NOT NULL
WITH generation, trigger, r[weight_property] AS weight ORDER BY weight DESC, trigger.id LIMIT $m
MATCH (trigger)-[s:SIMILAR {trigger: trigger.id, generation: generation}]->(item)
USING INDEX s:SIMILAR(trigger, generation, rank, weight)
WHERE s.rank <= $k AND s.weight > 0
RETURN count(item) AS found
