// $rows: maps {query, node, count}: the static query table
UNWIND $rows AS row
MATCH (n:BrowseNode {id: row.node})
MERGE (q:Query {id: row.query})
MERGE (q)-[r:MAPS_TO]->(n)
SET r.count = row.count
