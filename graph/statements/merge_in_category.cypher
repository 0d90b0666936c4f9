// $rows: maps {start, end} of ids whose nodes are there
UNWIND $rows AS row
MATCH (start:Item {id: row.start})
MATCH (end:BrowseNode {id: row.end})
MERGE (start)-[:IN_CATEGORY]->(end)
