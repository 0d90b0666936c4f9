// One change of the store's own tree at a time: the source is locked until the commit, and counts them.
MATCH (s:Source)
SET s.lock = true, s.tree_version = coalesce(s.tree_version, 0) + 1
REMOVE s.lock
RETURN properties(s) AS properties
