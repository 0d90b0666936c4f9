// Makes $generation the live one; where there is no such, one whose edges a peer wrote, without vectors.
MATCH (serving:Serving {id: 'weights'})
MERGE (g:Generation {id: $generation})
ON CREATE SET g.weight_property = 'weight_steps', g.direct_property = 'direct_none', g.names_triggers = true,
  g.length_property = 'direct_length_none'
SET serving.generation = g.id
