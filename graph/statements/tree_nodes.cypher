// $tree: name of the tree
MATCH (n:BrowseNode {tree: $tree})
OPTIONAL MATCH (n)-[:CHILD_OF]->(parent)
WITH n, min(parent.id) AS parent
RETURN n.id AS id, n.name AS name, parent, coalesce(n.level, 0) AS level, n.class AS class,
       n.class_source AS class_source, n.class_confidence AS class_confidence,
       COUNT { (n)<-[:IN_CATEGORY]-() } AS items
ORDER BY level, id
