// $id: the source's id; $properties: its properties
MERGE (s:Source {id: $id})
SET s += $properties
REMOVE s.loading
