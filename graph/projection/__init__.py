"""One generation's edges and vectors in memory: compact, read from files that all processes map, kept fresh.

What the Graph Data Science library calls a projection: the graph stays the truth, this is a faster copy of the part
that a recommendation walks. `build` streams it out of Neo4j into files, `columns` maps them, `paths` walks them,
`projection` answers, and `follower` carries over what changes in the graph.
"""
