"""Reading queries: one `.cypher` file each, and one typed function of the same name in the module beside it.

All functions raise `graph.errors.DatabaseError` where the server fails. Those that read weights read the live
generation once and nothing of any other. docs/queries.md shows how to run the files in Neo4j Browser.
"""
