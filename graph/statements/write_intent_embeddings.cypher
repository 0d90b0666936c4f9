// $rows: maps {id, embedding}, by the encoder $model
UNWIND $rows AS row
MATCH (i:Intent {id: row.id})
CALL db.create.setNodeVectorProperty(i, 'embedding', row.embedding)
SET i.embedding_model = $model
