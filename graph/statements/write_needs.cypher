// $rows: maps {intent, node, score, rank, source}
UNWIND $rows AS row
MATCH (i:Intent {id: row.intent})
MATCH (n:BrowseNode {id: row.node})
CREATE (i)-[:NEEDS {score: row.score, rank: row.rank, source: row.source}]->(n)
