// The hop of history, counted only.
MATCH (:User {id: $user})-[:INTERACTED]->(item)
RETURN count(item) AS found
