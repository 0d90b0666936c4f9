// The top nodes of a browse tree, in the order of their ids, a page at a time. A store that was written by an older
// version names no tree.
// :param tree => null;         name of the tree; null: the store's own
// :param after => '';          id of the last node of the page before; '' for the first page
// :param k => 100;             nodes to return
OPTIONAL MATCH (state:Serving {id: 'intents'})
OPTIONAL MATCH (source:Source)
WITH state, source LIMIT 1
WITH coalesce(source.id, state.tree) AS own
WITH own, coalesce($tree, own) AS tree
CALL (own, tree) {
  MATCH (n:BrowseNode {tree: tree})
  RETURN n
  UNION
  WITH own, tree WHERE own = tree
  MATCH (n:BrowseNode) WHERE n.tree IS NULL
  RETURN n
}
WITH tree, n WHERE n.id > $after AND NOT (n)-[:CHILD_OF]->()
WITH tree, n ORDER BY n.id LIMIT $k
RETURN tree, n.id AS id, n.name AS name, n.level AS level, n.class AS class, COUNT { (n)<-[:CHILD_OF]-() } AS children
ORDER BY id
