// How many items are in the catalogue: those with `min_buyers` buyers or more in the training rows.
// :param min_buyers => 1;        least buyers of an item in the training rows
MATCH (i:Item)
WHERE i.popularity >= $min_buyers
RETURN count(i) AS items
