// $nodes: ids of browse nodes. One row: these and all that stand above them, with the intents that each serves.
UNWIND $nodes AS id
MATCH (:BrowseNode {id: id})-[:CHILD_OF*0..]->(n:BrowseNode)
WITH DISTINCT n
RETURN collect({
  id: n.id, level: n.level, parents: COLLECT { MATCH (n)-[:CHILD_OF]->(p:BrowseNode) RETURN p.id },
  intents: COLLECT { MATCH (n)-[s:SERVES]->(i) WITH s, i ORDER BY s.rank RETURN i.id }
}) AS nodes
