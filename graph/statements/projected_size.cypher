// $direct_property: property of q_i. How many numbers it has; no row where no item has one.
MATCH (i:Item)
WHERE i[$direct_property] IS NOT NULL
RETURN size(i[$direct_property]) AS size LIMIT 1
