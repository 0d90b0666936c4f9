// $model: the encoder whose vectors are wanted
MATCH (i:Intent)
WHERE i.embedding_model = $model
RETURN i.id AS id, i.embedding AS embedding
