// Artefacts of ready generations whose Network is not stored: an older version wrote them.
MATCH (g:Generation {state: 'ready'})
WHERE NOT EXISTS { (:Network {artefact: g.artefact}) }
RETURN DISTINCT g.artefact AS artefact
