// What a user is up to as a picture: the user's best intents, and the categories of the store's own tree that each of
// them needs. Look at it as a graph in Neo4j Browser.
// :param user => '1';          id of the user
// :param intents => 4;         intents to show, the best first
// :param needs => 4;           categories to show of each, the best first
MATCH (state:Serving {id: 'intents'})
MATCH (u:User {id: $user})-[p:PURSUES]->(i:Intent)
WITH state, u, p, i ORDER BY p.rank, i.id LIMIT $intents
OPTIONAL CALL (state, i) {
  MATCH (i)-[need:NEEDS]->(category:BrowseNode {tree: state.tree})
  RETURN need, category ORDER BY need.rank, category.id LIMIT $needs
}
RETURN u AS user, p AS pursues, i AS intent, need, category
