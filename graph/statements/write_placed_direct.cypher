// $item: id; $generation: id of a ready one; $direct: q_i
MATCH (g:Generation {id: $generation, state: 'ready'})
MATCH (i:Item {id: $item})
SET i[g.direct_property] = $direct,
    i.changed = CASE WHEN i.changed >= timestamp() THEN i.changed + 1 ELSE timestamp() END
