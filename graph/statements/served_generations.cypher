// The generations that requests are answered by: the live one first, then the challenger of an experiment.
MATCH (serving:Serving {id: 'weights'})
MATCH (g:Generation)
WHERE g.id IN [serving.generation, serving.challenger]
OPTIONAL MATCH (n:Network {artefact: g.artefact})
RETURN g.id AS id, g.artefact AS artefact, toString(n.written) AS written
ORDER BY g.id <> serving.generation
