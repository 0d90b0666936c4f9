// $artefact, $features
MATCH (n:Network {artefact: $artefact})
SET n.features = $features
