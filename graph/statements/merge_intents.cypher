// $rows: maps with all properties of an intent but its vector, null for the ones that it has not
UNWIND $rows AS row
MERGE (i:Intent {id: row.id})
SET i += row
