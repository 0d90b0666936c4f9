// $name: a property
MATCH (n:User)
WHERE n[$name] IS NOT NULL
RETURN DISTINCT n[$name] AS value
