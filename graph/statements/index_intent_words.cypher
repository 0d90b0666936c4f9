// Search by words where no encoder is at hand; English word stems count.
CREATE FULLTEXT INDEX intent_words IF NOT EXISTS FOR (i:Intent) ON EACH [i.sentence, i.says]
OPTIONS {indexConfig: {`fulltext.analyzer`: 'english'}}
