// What requests are answered by, the live generation first, and the state of the store that goes with it.
MATCH (serving:Serving {id: 'weights'})
MATCH (g:Generation)
WHERE g.id IN [serving.generation, serving.challenger]
RETURN g.id AS generation, g.digest AS digest, toString(g.created) AS created,
       g.weight_property AS weight_property, g.direct_property AS direct_property,
       coalesce(g.repeat_power, 1.0) AS repeat_power, serving.share AS share,
       head(COLLECT { MATCH (s:Source) RETURN coalesce(s.loads, 0) }) AS loads,
       head(COLLECT { MATCH (s:Source) RETURN coalesce(s.tree_version, 0) }) AS tree_version,
       EXISTS { MATCH (s:Source) WHERE s.loading } AS loading, timestamp() AS now
ORDER BY g.id <> serving.generation
