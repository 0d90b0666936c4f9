// $ids: items; $names: properties. One row an item that is there
UNWIND range(0, size($ids) - 1) AS place
MATCH (n:Item {id: $ids[place]})
RETURN place, [name IN $names | n[name]] AS values
