// $source: table or mined; $ids: intents that stay
MATCH (i:Intent {source: $source})
WHERE NOT i.id IN $ids
DETACH DELETE i
RETURN count(*) AS intents
