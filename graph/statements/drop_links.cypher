// $tree: whose categories lose their links
MATCH (n:BrowseNode {tree: $tree})
CALL (n) {
  OPTIONAL MATCH (n)-[serves:SERVES]->()
  DELETE serves
}
CALL (n) {
  OPTIONAL MATCH (n)<-[needs:NEEDS]-()
  DELETE needs
}
CALL (n) {
  OPTIONAL MATCH (n)-[complements:COMPLEMENTS|DROPPED]->()
  DELETE complements
}
