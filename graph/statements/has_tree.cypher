// $tree: name of a tree
RETURN EXISTS { (:BrowseNode {tree: $tree}) } AS found
