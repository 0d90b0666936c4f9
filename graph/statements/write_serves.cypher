// $rows: maps {node, intent, confidence, rank, source, support}
UNWIND $rows AS row
MATCH (n:BrowseNode {id: row.node})
MATCH (i:Intent {id: row.intent})
CREATE (n)-[:SERVES {confidence: row.confidence, rank: row.rank, source: row.source, support: row.support}]->(i)
