// $rows: maps {id, google, intents} of nodes of the tree
UNWIND $rows AS row
MATCH (n:BrowseNode {id: row.id})
SET n.google = row.google, n.intents = row.intents
RETURN count(n) AS nodes
