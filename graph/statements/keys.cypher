// $id: id of one key; null: all of them
MATCH (k:ApiKey)
WHERE $id IS NULL OR k.id = $id
RETURN k.id AS id, k.name AS name, k.role AS role, k.hash AS hash, k.created AS created
ORDER BY created, id
