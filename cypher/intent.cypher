// An intent: how it is said, the categories of a tree that it needs, and those that serve it, the most confident first.
// :param intent => 'party';    id of the intent
// :param tree => null;         name of the browse tree; null: the store's own
// :param k => 20;              categories that serve it to return
MATCH (i:Intent {id: $intent})
OPTIONAL MATCH (state:Serving {id: 'intents'})
WITH i, coalesce($tree, state.tree) AS tree
RETURN i.id AS id, i.sentence AS sentence, i.says AS says, i.source AS source, i.department AS department,
       i.season AS season, i.audience AS audience, tree,
       COLLECT {
         MATCH (i)-[need:NEEDS]->(c:BrowseNode {tree: tree})
         WITH need, c ORDER BY need.rank
         RETURN {id: c.id, name: c.name, score: need.score, source: need.source}
       } AS needs,
       COLLECT {
         MATCH (i)<-[serves:SERVES]-(c:BrowseNode {tree: tree})
         WITH serves, c ORDER BY serves.confidence DESC, c.id LIMIT $k
         RETURN {id: c.id, name: c.name, confidence: serves.confidence, rank: serves.rank, source: serves.source}
       } AS serving,
       COUNT { (i)<-[:SERVES]-(:BrowseNode {tree: tree}) } AS served_by
