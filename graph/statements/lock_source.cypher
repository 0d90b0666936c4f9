// One change of the store's own tree at a time: the source is locked until the commit.
MATCH (s:Source)
SET s.lock = true
REMOVE s.lock
RETURN properties(s) AS properties
