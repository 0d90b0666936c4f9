// $tree: name; $ids: nodes whose class the source still declares; $limit: nodes of one transaction. The others lose it;
// gives how many did.
MATCH (n:BrowseNode {tree: $tree})
WHERE n.class_source = 'source' AND NOT n.id IN $ids
WITH n LIMIT $limit
REMOVE n.class, n.class_source, n.class_confidence, n:ProductCategory:ProductAssortment:Alias
RETURN count(*) AS nodes
