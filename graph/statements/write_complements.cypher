// $rows: maps {start, end, intent, score, rank}
UNWIND $rows AS row
MATCH (a:BrowseNode {id: row.start})
MATCH (b:BrowseNode {id: row.end})
CREATE (a)-[:COMPLEMENTS {intent: row.intent, score: row.score, rank: row.rank}]->(b)
