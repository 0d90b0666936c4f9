// Says that the items of all generations have the lengths of their vectors.
MATCH (g:Generation)
WHERE g.length_property IS NULL
SET g.length_property = 'direct_length_' + g.id
