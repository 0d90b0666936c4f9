// Users who have at least some items, in the order of their ids, and how many items each had.
// :param items => 5;           items that a user had at least
// :param n => 10;              users to return
MATCH (u:User)
WITH u, COUNT { (u)-[:INTERACTED]->() } AS items
WHERE items >= $items
RETURN u.id AS id, items ORDER BY id LIMIT $n
