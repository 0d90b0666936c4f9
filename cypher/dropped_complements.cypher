// What business rules kept from completing a category, each with the rule and why.
// :param category => '2';      id of the browse node
// :param n => 50;              categories to return
MATCH (:BrowseNode {id: $category})-[r:DROPPED]->(c:BrowseNode)
MATCH (i:Intent {id: r.intent})
RETURN c.id AS id, c.name AS name, r.rule AS rule, r.why AS why, i.id AS intent, i.sentence AS sentence
ORDER BY rule, name, id LIMIT $n
