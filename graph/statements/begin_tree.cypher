// $tree: name; $version: as its publisher states it. `loading` is true until end_tree: a tree that is half there.
MERGE (t:Tree {id: $tree})
SET t.version = $version, t.loading = true
