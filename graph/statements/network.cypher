// $artefact: SHA-256 of the model file
MATCH (n:Network {artefact: $artefact})
RETURN properties(n) AS properties
