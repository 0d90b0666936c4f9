// $id, $hash, $name, $role
MERGE (k:ApiKey {id: $id})
ON CREATE SET k.hash = $hash, k.name = $name, k.role = $role, k.created = datetime()
