// $rows: maps {id, embedding}
UNWIND $rows AS row
MATCH (i:Intent {id: row.id})
CALL db.create.setNodeVectorProperty(i, 'embedding', row.embedding)
