// $rows: maps {id, parent}, parent null for a top node; any other parent that is stored is taken off
UNWIND $rows AS row
MATCH (n:BrowseNode {id: row.id})
OPTIONAL MATCH (n)-[old:CHILD_OF]->(before)
WHERE row.parent IS NULL OR before.id <> row.parent
DELETE old
WITH DISTINCT n, row
WHERE row.parent IS NOT NULL
MATCH (parent:BrowseNode {id: row.parent})
MERGE (n)-[:CHILD_OF]->(parent)
