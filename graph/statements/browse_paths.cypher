// $nodes: ids of browse nodes. These and all that stand above them, with the intents that each serves.
UNWIND $nodes AS id
MATCH (:BrowseNode {id: id})-[:CHILD_OF*0..]->(n:BrowseNode)
WITH DISTINCT n
RETURN n.id AS id, n.level AS level, COLLECT { MATCH (n)-[:CHILD_OF]->(p:BrowseNode) RETURN p.id } AS parents,
       COLLECT { MATCH (n)-[s:SERVES]->(i) WITH s, i ORDER BY s.rank RETURN i.id } AS intents
