// $rows: maps {start, end, intent, rule, why}: what a business rule kept from being a complement
UNWIND $rows AS row
MATCH (a:BrowseNode {id: row.start})
MATCH (b:BrowseNode {id: row.end})
CREATE (a)-[:DROPPED {intent: row.intent, rule: row.rule, why: row.why}]->(b)
