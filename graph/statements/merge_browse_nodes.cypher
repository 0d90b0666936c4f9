// $rows: maps with all properties of a node, null for the ones that it has not. A new name needs a new vector.
UNWIND $rows AS row
MERGE (n:BrowseNode {id: row.id})
SET n.embedding_model = CASE WHEN n.name = row.name THEN n.embedding_model END
SET n += row
