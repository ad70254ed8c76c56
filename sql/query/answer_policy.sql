-- The policy that a question is about. $1 question, $2 language. NULL: none.
SELECT shop.answer_policy($1, $2)
