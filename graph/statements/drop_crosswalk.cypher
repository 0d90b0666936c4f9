// $tree: whose nodes lose what a crosswalk said of them
MATCH (n:BrowseNode {tree: $tree})
REMOVE n.google, n.intents, n.optional_for, n.not_for
