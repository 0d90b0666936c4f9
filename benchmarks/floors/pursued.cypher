// The hops of pursued, to what the intents need and to what the user had of it, counted only.
MATCH (state:Serving {id: 'intents'})
MATCH (u:User {id: $user})-[p:PURSUES]->(i:Intent)
WITH u, i, state ORDER BY p.rank LIMIT $n
MATCH (i)-[need:NEEDS]->(c:BrowseNode {tree: state.tree})
WHERE need.score >= $least AND NOT EXISTS {
  MATCH (u)-[:INTERACTED]->(:Item)-[:IN_CATEGORY]->(:BrowseNode)-[:CHILD_OF*0..]->(c)
}
RETURN count(c) AS found
