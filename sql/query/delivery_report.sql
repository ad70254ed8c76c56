-- What a provider tells of a message: $1 channel, $2 key of the row, $3 what the provider calls it, $4 sent, delivered or failed, $5 the provider's code
-- or '', $6 does that code mean that the recipient wants no more -> what was made of it.
SELECT souk.delivery_report($1, $2, $3, $4, $5, $6::boolean)
