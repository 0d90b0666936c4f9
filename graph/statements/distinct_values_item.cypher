// $name: a property
MATCH (n:Item)
WHERE n[$name] IS NOT NULL
RETURN DISTINCT n[$name] AS value
