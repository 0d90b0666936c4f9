// The hop of triggers, counted only.
MATCH (:User {id: $user})-[:INTERACTED]->(item)
RETURN count(item) AS found
