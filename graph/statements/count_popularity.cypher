// $after: id; $limit: items. Counts the buyers of the next items in the order of their ids and gives the last id.
MATCH (i:Item)
WHERE i.id > $after
WITH i ORDER BY i.id LIMIT $limit
CALL (i) {
  WITH i, COUNT { (i)<-[:INTERACTED]-() } AS buyers
  WHERE i.popularity IS NULL OR i.popularity <> buyers
  SET i.popularity = buyers
}
RETURN max(i.id) AS last, count(*) AS items
