// $tree: name of the tree; $model: the encoder whose vectors are wanted
MATCH (n:BrowseNode {tree: $tree})
WHERE n.embedding_model = $model
RETURN n.id AS id, n.embedding AS embedding
