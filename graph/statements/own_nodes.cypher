// $nodes: ids; $tree: the store's own tree; gives those that are there and in it
UNWIND $nodes AS id
MATCH (n:BrowseNode {id: id})
WHERE coalesce(n.tree, $tree) = $tree
RETURN n.id AS id
