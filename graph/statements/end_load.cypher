// $id: the source's id; $properties: its properties
MERGE (s:Source {id: $id})
SET s += $properties, s.loads = coalesce(s.loads, 0) + 1
REMOVE s.loading
