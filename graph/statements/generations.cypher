// All generations, the newest first; `live` is the one that the Serving node names, `challenger` that of an experiment.
// The Serving node is read once, before the generations: a switch meanwhile must not leave two rows live, or none.
OPTIONAL MATCH (serving:Serving {id: 'weights'})
WITH serving.generation AS live, serving.challenger AS challenger
MATCH (g:Generation)
RETURN properties(g) AS properties, coalesce(live = g.id, false) AS live,
       coalesce(challenger = g.id, false) AS challenger
ORDER BY g.id DESC
