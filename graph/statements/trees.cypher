// The trees that belong to no store
MATCH (t:Tree)
RETURN t.id AS id, t.version AS version, t.nodes AS nodes, coalesce(t.loading, false) AS loading
ORDER BY id
