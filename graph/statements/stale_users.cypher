// $limit: users that it gives at most. Users whose events are newer than their weights and intents.
MATCH (u:User)
WHERE u.stale = true
RETURN u.id AS id LIMIT $limit
