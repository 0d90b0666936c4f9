// All generations, the newest first; `live` is the one that the Serving node names.
MATCH (g:Generation)
OPTIONAL MATCH (serving:Serving {id: 'weights'})
RETURN properties(g) AS properties, coalesce(serving.generation = g.id, false) AS live
ORDER BY g.id DESC
