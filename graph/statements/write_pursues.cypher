// $rows: maps {user, state, clusters: maps {intent, activeness, last, first, categories, score, rank}}; last and first
// in seconds since 1970 UTC. A user's old intents leave in the same transaction.
UNWIND $rows AS row
MATCH (u:User {id: row.user})
CALL (u) {
  OPTIONAL MATCH (u)-[old:PURSUES]->()
  DELETE old
}
SET u.pursues_state = row.state
WITH u, row
UNWIND row.clusters AS cluster
MATCH (i:Intent {id: cluster.intent})
CREATE (u)-[:PURSUES {score: cluster.score, rank: cluster.rank, activeness: cluster.activeness,
  recency: cluster.recency, first_time: datetime({epochSeconds: cluster.first}),
  last_time: datetime({epochSeconds: cluster.last}), categories: cluster.categories}]->(i)
