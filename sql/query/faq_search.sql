-- $1 lists of words, $2 category or NULL, $3 language or NULL, $4 how many -> {"results", "total"}
SELECT shop.faq_search($1::jsonb, $2, souk.locale($3), $4::integer)
