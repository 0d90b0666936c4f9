// A part of the browse tree as a picture: a node and what stands below it, level by level. Look at it as a graph in Neo4j
// Browser.
// :param node => '1';          id of the browse node
// :param levels => 2;          levels to show below it
// :param n => 40;              nodes to show at most, the upper ones first
MATCH way = (node:BrowseNode)-[:CHILD_OF*0..]->(:BrowseNode {id: $node})
WHERE length(way) <= $levels
WITH node, way ORDER BY length(way), node.name, node.id LIMIT $n
RETURN node, relationships(way)[0] AS edge, nodes(way)[1] AS above
