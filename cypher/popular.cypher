// The items with the most buyers that are available, in the order of the index on popularity.
// :param n => 10;              items to return
// :param user => null;         id of a user whose own items are left out; null: nobody's
MATCH (item:Item)
WHERE item.popularity IS NOT NULL AND coalesce(item.available, true)
  AND ($user IS NULL OR NOT EXISTS { MATCH (:User {id: $user})-[:INTERACTED]->(item) })
RETURN item.id AS id, item.title AS title, item.popularity AS popularity
ORDER BY popularity DESC, id LIMIT $n
