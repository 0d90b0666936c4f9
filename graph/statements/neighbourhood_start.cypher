// $label, $id: one node by its key. Each branch names its label, so that its index is used.
CALL () {
  MATCH (n:User {id: $id}) WHERE $label = 'User' RETURN n
  UNION ALL
  MATCH (n:Item {id: $id}) WHERE $label = 'Item' RETURN n
  UNION ALL
  MATCH (n:BrowseNode {id: $id}) WHERE $label = 'BrowseNode' RETURN n
  UNION ALL
  MATCH (n:Intent {id: $id}) WHERE $label = 'Intent' RETURN n
  UNION ALL
  MATCH (n:Generation {id: $id}) WHERE $label = 'Generation' RETURN n
  UNION ALL
  MATCH (n:Source {id: $id}) WHERE $label = 'Source' RETURN n
}
RETURN elementId(n) AS element, labels(n) AS labels, properties(n) AS properties
