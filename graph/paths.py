"""How a place in a browse tree is written: names from the top down."""

SEPARATOR = " > "
