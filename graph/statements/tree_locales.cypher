// $tree: name of the tree. Properties that hold names in further locales
MATCH (n:BrowseNode {tree: $tree})
UNWIND keys(n) AS name
WITH DISTINCT name
WHERE name STARTS WITH 'name_'
RETURN name
ORDER BY name
