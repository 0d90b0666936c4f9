MATCH (i:Item)
RETURN i.id AS id
