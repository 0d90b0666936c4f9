// $rows: maps with all properties of a node, null for the ones that it has not
UNWIND $rows AS row
MERGE (n:Item {id: row.id})
SET n += row
