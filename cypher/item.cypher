// One item, and how many users had it in the training rows.
// :param item => '1';          id of the item
MATCH (item:Item {id: $item})
RETURN item.id AS id, item.title AS title, item.brand AS brand, item.price AS price,
       coalesce(item.available, true) AS available, item.popularity AS popularity
