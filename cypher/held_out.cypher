// What each user was held out with, for evaluation: items the user had not had before, and items had again.
// Items with fewer than `min_buyers` buyers in the training rows are outside of the catalogue and left out.
// :param min_buyers => 1;        least buyers of an item in the training rows
MATCH (u:User)-[:HELD_OUT]->(i:Item)
WHERE i.popularity >= $min_buyers
WITH u, i, EXISTS { (u)-[:INTERACTED]->(i) } AS had
RETURN u.id AS user,
       [id IN collect(CASE WHEN had THEN NULL ELSE i.id END) | id] AS new,
       [id IN collect(CASE WHEN had THEN i.id END) | id] AS again
ORDER BY user
