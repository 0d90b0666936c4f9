MATCH (k:ApiKey)
RETURN k.id AS id, k.name AS name, k.role AS role, k.hash AS hash, k.created AS created
ORDER BY created, id
