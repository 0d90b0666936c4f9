// With the last generation of a model goes its Network.
MATCH (g:Generation {id: $generation, state: 'dropping'})
WITH g, g.artefact AS artefact
DELETE g
WITH artefact
WHERE NOT EXISTS { (:Generation {artefact: artefact}) }
MATCH (n:Network {artefact: artefact})
DELETE n
