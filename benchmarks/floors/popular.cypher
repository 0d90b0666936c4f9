// The first items of popular by the index on popularity, counted only.
MATCH (item:Item)
WHERE item.popularity IS NOT NULL
WITH item ORDER BY item.popularity DESC LIMIT $n
RETURN count(item) AS found
