// $id
OPTIONAL MATCH (k:ApiKey {id: $id})
WITH collect(k) AS found
FOREACH (k IN found | DELETE k)
RETURN size(found) AS keys
