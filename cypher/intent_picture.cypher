// An intent as a picture: the categories of the store's own tree that serve it, and those that it needs. Look at it as
// a graph in Neo4j Browser.
// :param intent => 'party';    id of the intent
// :param n => 8;               categories to show each way, the best first
MATCH (state:Serving {id: 'intents'})
MATCH (i:Intent {id: $intent})
CALL (i, state) {
  MATCH (i)-[edge:NEEDS]->(category:BrowseNode {tree: state.tree})
  RETURN edge, category ORDER BY edge.rank, category.id LIMIT $n
  UNION ALL
  MATCH (i)<-[edge:SERVES]-(category:BrowseNode {tree: state.tree})
  RETURN edge, category ORDER BY edge.confidence DESC, category.id LIMIT $n
}
RETURN i AS intent, edge, category
