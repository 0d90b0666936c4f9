// The browse nodes right below one, in the order of their ids, a page at a time.
// :param node => '1';          id of the browse node
// :param after => '';          id of the last node of the page before; '' for the first page
// :param k => 100;             nodes to return
MATCH (n:BrowseNode)-[:CHILD_OF]->(:BrowseNode {id: $node})
WHERE n.id > $after
WITH n ORDER BY n.id LIMIT $k
RETURN n.id AS id, n.name AS name, n.level AS level, n.class AS class, COUNT { (n)<-[:CHILD_OF]-() } AS children
ORDER BY id
