// $rows: maps with all properties of an intent but its vector, null for the ones that it has not. A vector is that of the
// old texts.
UNWIND $rows AS row
MERGE (i:Intent {id: row.id})
SET i += row
REMOVE i.embedding_model
