// $tree: name of the tree. The categories of each node: the nearest one at or above it that serves an intent.
MATCH (n:BrowseNode {tree: $tree})
WHERE EXISTS { (n)-[:SERVES]->() }
RETURN n.id AS id, COLLECT { MATCH (n)-[s:SERVES]->(i) WITH s, i ORDER BY s.rank RETURN i.id } AS intents
ORDER BY id
