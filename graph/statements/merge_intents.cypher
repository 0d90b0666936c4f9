// $rows: maps with all properties of an intent but its vector, null for the ones that it has not. New texts need a new
// vector.
UNWIND $rows AS row
MERGE (i:Intent {id: row.id})
SET i.embedding_model = CASE WHEN i.sentence = row.sentence AND i.says = row.says THEN i.embedding_model END
SET i += row
