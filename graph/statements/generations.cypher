// All generations, the newest first; `live` is the one that the Serving node names, `challenger` that of an experiment.
MATCH (g:Generation)
OPTIONAL MATCH (serving:Serving {id: 'weights'})
RETURN properties(g) AS properties, coalesce(serving.generation = g.id, false) AS live,
       coalesce(serving.challenger = g.id, false) AS challenger
ORDER BY g.id DESC
