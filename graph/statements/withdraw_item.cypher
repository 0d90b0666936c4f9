// $item: id. Nobody is recommended an item while its edges are deleted.
MATCH (i:Item {id: $item})
SET i.available = false
SET i.changed = CASE WHEN i.changed >= timestamp() THEN i.changed + 1 ELSE timestamp() END
RETURN i.id AS id
