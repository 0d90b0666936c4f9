// $item: id; $generation: id of a ready one; $direct: q_i
MATCH (g:Generation {id: $generation, state: 'ready'})
MATCH (i:Item {id: $item})
SET i[g.length_property] = sqrt(reduce(total = 0.0, x IN $direct | total + x * x)),
    i.changed = CASE WHEN i.changed >= timestamp() THEN i.changed + 1 ELSE timestamp() END
WITH g, i WHERE size($direct) > 0
CALL db.create.setNodeVectorProperty(i, g.direct_property, $direct)
