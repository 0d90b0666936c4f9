// $node: id; $level: its level, 0 at the top; all below it follow
MATCH path = (:BrowseNode {id: $node})<-[:CHILD_OF*0..]-(below)
SET below.level = $level + length(path)
