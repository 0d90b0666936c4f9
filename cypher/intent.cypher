// An intent: how it is said, the categories of a tree that it needs, and how many serve it.
// :param intent => 'party';    id of the intent
// :param tree => 'shop';       name of the browse tree
MATCH (i:Intent {id: $intent})
RETURN i.id AS id, i.sentence AS sentence, i.says AS says, i.source AS source, i.department AS department,
       i.season AS season, i.audience AS audience,
       COLLECT {
         MATCH (i)-[need:NEEDS]->(c:BrowseNode {tree: $tree})
         WITH need, c ORDER BY need.rank
         RETURN {id: c.id, name: c.name, score: need.score, source: need.source}
       } AS needs,
       COUNT { (i)<-[:SERVES]-(:BrowseNode {tree: $tree}) } AS served_by
