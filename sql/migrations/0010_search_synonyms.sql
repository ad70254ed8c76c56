-- Words that mean nearly the same to this shop's customers. A row replaces the built-in synonyms of its word; an empty list takes them away. Upper
-- and lower case and accents do not matter; single words only. Programs read the table once a minute.
CREATE TABLE shop.search_synonyms (
	lang text NOT NULL CHECK (lang ~ '^[a-z]{2}$'),
	word text NOT NULL CHECK (length(word) BETWEEN 1 AND 48 AND word !~ '\s'),
	means text[] NOT NULL CHECK (cardinality(means) <= 16),
	PRIMARY KEY (lang, word)
);
