// $item: id; $brand; $min_buyers: least buyers; $limit: items at most. Other items of that brand, the most popular first.
MATCH (j:Item {brand: $brand})
WHERE j.id <> $item AND coalesce(j.popularity, 0) >= $min_buyers
WITH j ORDER BY coalesce(j.popularity, 0) DESC, j.id LIMIT $limit
RETURN j.id AS id
