-- An answer from the catalogue. $1 arguments, $2 array of product ids that may be meant, $3 language. NULL: it does not say.
SELECT shop.answer_product($1::jsonb, $2::bigint[], $3)
