// $node: id. With what hangs on it.
MATCH (n:BrowseNode {id: $node})
OPTIONAL MATCH (n)-[:CHILD_OF]->(parent)
WITH n, min(parent.id) AS parent
RETURN n.name AS name, n.tree AS tree, coalesce(n.level, 0) AS level, parent,
       COUNT { (n)<-[:CHILD_OF]-() } AS children, COUNT { (n)<-[:IN_CATEGORY]-() } AS items
