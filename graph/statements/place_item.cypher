// $item: id; it has neighbours now
MATCH (i:Item {id: $item})
REMOVE i.unplaced
