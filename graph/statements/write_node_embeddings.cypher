// $rows: maps {id, embedding, baseline}: by the tuned model and by the model that it was tuned from
UNWIND $rows AS row
MATCH (n:BrowseNode {id: row.id})
CALL db.create.setNodeVectorProperty(n, 'embedding', row.embedding)
SET n.embedding_baseline = row.baseline
