// $ids: browse nodes; $property: embedding or embedding_baseline
UNWIND $ids AS id
MATCH (n:BrowseNode {id: id})
RETURN n.id AS id, n[$property] AS vector
