-- Say who speaks, until the end of the transaction. $1 kind, $2 customer id or '', $3 token id or '', $4 locale, $5 visitor or '',
-- $6 the order that was proven, or ''.
SELECT set_config('souk.kind', $1, true), set_config('souk.customer_id', $2, true),
	set_config('souk.token_id', $3, true), set_config('souk.locale', $4, true),
	set_config('souk.visitor', $5, true), set_config('souk.order_id', $6, true)
