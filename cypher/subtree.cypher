// A browse node's subtree, level by level, with the number of items at or below each node.
// :param node => '1';          id of the browse node
MATCH (root:BrowseNode {id: $node})
MATCH (node:BrowseNode)-[:CHILD_OF*0..]->(root)
WITH DISTINCT node
RETURN node.id AS id, node.name AS name, node.level AS level,
       COUNT { MATCH (item:Item)-[:IN_CATEGORY]->(:BrowseNode)-[:CHILD_OF*0..]->(node) RETURN DISTINCT item } AS items
ORDER BY level, name, id
