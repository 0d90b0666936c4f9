// Which of given items there are.
// :param items => ['1', '2'];  ids of the items
UNWIND $items AS id
MATCH (item:Item {id: id})
RETURN DISTINCT item.id AS id
