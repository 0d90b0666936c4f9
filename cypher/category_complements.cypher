// Categories that complete a category, the best first: the pair's intent, and how strongly.
// :param category => '2';      id of the browse node
// :param n => 10;              categories to return
MATCH (:BrowseNode {id: $category})-[r:COMPLEMENTS]->(c:BrowseNode)
MATCH (i:Intent {id: r.intent})
WITH r, c, i ORDER BY r.rank LIMIT $n
RETURN c.id AS id, c.name AS name, r.score AS score, i.id AS intent, i.sentence AS sentence,
       COLLECT {
         MATCH (c)-[:CHILD_OF*0..]->(above)
         WITH above ORDER BY coalesce(above.level, 0) RETURN above.name
       } AS path
ORDER BY score DESC, id
