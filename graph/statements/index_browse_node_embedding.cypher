// Of any length: it is the model's.
CREATE VECTOR INDEX browse_node_embedding IF NOT EXISTS FOR (n:BrowseNode) ON (n.embedding)
OPTIONS {indexConfig: {`vector.similarity_function`: 'cosine'}}
