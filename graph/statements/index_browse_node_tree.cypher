CREATE RANGE INDEX browse_node_tree IF NOT EXISTS FOR (n:BrowseNode) ON (n.tree)
