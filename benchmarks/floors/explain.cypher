// The paths of explain, counted only.
MATCH (serving:Serving {id: 'weights'})
MATCH (g:Generation {id: serving.generation})
WITH g.id AS generation, g.weight_property AS weight_property
MATCH (item:Item {id: $item})
MATCH (:User {id: $user})-[r:INTERACTED]->(trigger)
WHERE r[weight_property] IS NOT NULL
MATCH (trigger)-[s:SIMILAR]->(item)
WHERE s.generation = generation
RETURN count(s) AS found
