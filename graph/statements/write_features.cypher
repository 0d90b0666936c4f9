// $artefact, $features. A process that has read the old ones sees by `written` that they are others now.
MATCH (n:Network {artefact: $artefact})
SET n.features = $features, n.written = datetime()
