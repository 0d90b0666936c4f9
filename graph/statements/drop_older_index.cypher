DROP INDEX similar_neighbours IF EXISTS
