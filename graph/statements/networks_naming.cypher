// $texts: an id as JSON writes it. Networks whose vocabulary may hold it; all are locked before they are read.
MATCH (n:Network)
SET n.lock = true
REMOVE n.lock
WITH n
WHERE any(text IN $texts WHERE n.features CONTAINS text)
RETURN n.artefact AS artefact, n.features AS features
