// $item: id; $profile: map of the profile properties, null for what leaves; $unplaced: true until the item has
// neighbours that fit what it is now
MATCH (i:Item {id: $item})
SET i.changed = CASE WHEN i.changed >= timestamp() THEN i.changed + 1 ELSE timestamp() END,
    i.title = $title, i.brand = $brand, i.price = $price, i.available = $available,
    i.unplaced = CASE WHEN $unplaced THEN true END, i += $profile
