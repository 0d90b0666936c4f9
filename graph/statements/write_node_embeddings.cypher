// $rows: maps {id, embedding, baseline}: by the tuned encoder $model, and by the one that it was tuned from or null
UNWIND $rows AS row
MATCH (n:BrowseNode {id: row.id})
CALL db.create.setNodeVectorProperty(n, 'embedding', row.embedding)
SET n.embedding_model = $model, n.embedding_baseline = row.baseline
