// $ids: browse nodes; $names: properties. One row a node that is there
UNWIND range(0, size($ids) - 1) AS place
MATCH (n:BrowseNode {id: $ids[place]})
RETURN place, [name IN $names | n[name]] AS values
