// $artefact: SHA-256 of the model file; $properties: all properties of its Network, the artefact among them
MERGE (n:Network {artefact: $artefact})
SET n = $properties, n.written = datetime()
