// The items that came last and are available, in the order of the index on `created`: when an item was put into the
// catalogue, or had first. Items of which neither is known are out.
// :param n => 10;              items to return
// :param category => null;     id of a browse node: only items in it or below it; null: all
// :param min_price => null;    least price; items without a price are left out; null: any
// :param max_price => null;    greatest price; the same
// :param exclude => [];        ids of items to leave out
CALL () {
  // All items, in the order of the index; none where a category is given.
  MATCH (item:Item)
  WHERE item.created IS NOT NULL AND coalesce(item.available, true) AND NOT item.id IN $exclude
    AND ($min_price IS NULL OR item.price >= $min_price) AND ($max_price IS NULL OR item.price <= $max_price)
  RETURN item ORDER BY item.created DESC, item.id LIMIT CASE WHEN $category IS NULL THEN $n ELSE 0 END
  UNION ALL
  // Those of a category, from the category down; none where it is null.
  MATCH (item:Item)-[:IN_CATEGORY]->(:BrowseNode)-[:CHILD_OF*0..]->(:BrowseNode {id: $category})
  WHERE item.created IS NOT NULL AND coalesce(item.available, true) AND NOT item.id IN $exclude
    AND ($min_price IS NULL OR item.price >= $min_price) AND ($max_price IS NULL OR item.price <= $max_price)
  WITH DISTINCT item
  RETURN item ORDER BY item.created DESC, item.id LIMIT $n
}
RETURN item.id AS id, item.title AS title, item.brand AS brand, item.price AS price, item.popularity AS popularity,
       item.created AS created
ORDER BY created DESC, id
