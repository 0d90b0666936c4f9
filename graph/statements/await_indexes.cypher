// $timeout: seconds after which it fails
CALL db.awaitIndexes($timeout)
