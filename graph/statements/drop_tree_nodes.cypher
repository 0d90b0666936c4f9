// $tree: name; $ids: nodes that stay; $limit: nodes of one transaction. Gives how many left.
MATCH (n:BrowseNode {tree: $tree})
WHERE NOT n.id IN $ids
WITH n LIMIT $limit
DETACH DELETE n
RETURN count(*) AS nodes
