// What each user was held out with, for evaluation: items the user had not had before, items had again, and what the
// user had in the training rows. Items with fewer than `min_buyers` buyers in the training rows are outside of the
// catalogue and not held out.
// :param min_buyers => 1;        least buyers of an item in the training rows
MATCH (u:User)-[:HELD_OUT]->(i:Item)
WHERE i.popularity >= $min_buyers
WITH u, i, EXISTS { (u)-[:INTERACTED]->(i) } AS again
WITH u, collect(CASE WHEN again THEN NULL ELSE i.id END) AS new, collect(CASE WHEN again THEN i.id END) AS again
RETURN u.id AS user, new, again, COLLECT { MATCH (u)-[:INTERACTED]->(i) RETURN i.id ORDER BY i.id } AS had
ORDER BY user
