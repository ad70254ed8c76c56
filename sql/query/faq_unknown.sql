-- $1 lists of words -> {"unknown": [places of those that no entry has], "words": "all written words"}; NULL when all are known.
SELECT shop.faq_unknown($1::jsonb)
