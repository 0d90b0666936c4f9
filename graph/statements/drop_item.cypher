// $item: id
MATCH (i:Item {id: $item})
DETACH DELETE i
CREATE (:Removed {kind: 'item', key: $item, at: timestamp()})
