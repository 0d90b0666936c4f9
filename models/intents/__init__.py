"""Shopping intents (Shen et al., Amazon): browse trees, intents, links between them, and what shoppers pursue."""
