// $rows: maps with all properties of a node, null for the ones that it has not. Its vector is that of its old name.
UNWIND $rows AS row
MERGE (n:BrowseNode {id: row.id})
SET n += row
REMOVE n.embedding_model
