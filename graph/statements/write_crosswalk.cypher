// $rows: maps {id, google, intents, optional_for, not_for} of nodes of the tree
UNWIND $rows AS row
MATCH (n:BrowseNode {id: row.id})
SET n.google = row.google, n.intents = row.intents, n.optional_for = row.optional_for, n.not_for = row.not_for
RETURN count(n) AS nodes
