// Of any length: it is the model's.
CREATE VECTOR INDEX intent_embedding IF NOT EXISTS FOR (n:Intent) ON (n.embedding)
OPTIONS {indexConfig: {`vector.similarity_function`: 'cosine'}}
