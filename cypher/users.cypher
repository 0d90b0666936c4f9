// Users whose ids begin with a text, in the order of their ids, and how many items each had.
// :param prefix => '';         how the ids begin; '': all
// :param n => 10;              users to return
MATCH (u:User)
WHERE u.id STARTS WITH $prefix
WITH u ORDER BY u.id LIMIT $n
RETURN u.id AS id, COUNT { (u)-[:INTERACTED]->() } AS items
ORDER BY id
