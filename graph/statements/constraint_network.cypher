CREATE CONSTRAINT network_artefact IF NOT EXISTS FOR (n:Network) REQUIRE n.artefact IS UNIQUE
