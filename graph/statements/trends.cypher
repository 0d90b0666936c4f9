// $generation: id of one whose q_i end with the item's trend; $items: ids. The trends of those that have a q_i.
MATCH (g:Generation {id: $generation})
UNWIND $items AS id
MATCH (i:Item {id: id})
WHERE size(i[g.direct_property]) > 0
RETURN id, last(i[g.direct_property]) AS trend
