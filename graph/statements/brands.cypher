// The names of all brands
MATCH (i:Item)
WHERE i.brand IS NOT NULL
RETURN DISTINCT i.brand AS brand
