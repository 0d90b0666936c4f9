// $nodes: ids of browse nodes. One row: these and all that stand above them, with the intents that each serves.
UNWIND $nodes AS id
MATCH (:BrowseNode {id: id})-[:CHILD_OF*0..]->(n:BrowseNode)
WITH DISTINCT n
RETURN ['id', 'level', 'parents', 'intents'] AS names, collect([
  n.id, n.level, [(n)-[:CHILD_OF]->(p:BrowseNode) | p.id],
  COLLECT { MATCH (n)-[s:SERVES]->(i) WITH s, i ORDER BY s.rank RETURN i.id }
]) AS nodes
