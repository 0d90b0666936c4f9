// $rows: maps {start, end} of ids whose nodes are there
UNWIND $rows AS row
MATCH (start:BrowseNode {id: row.start})
MATCH (end:BrowseNode {id: row.end})
MERGE (start)-[:CHILD_OF]->(end)
