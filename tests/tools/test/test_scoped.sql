SELECT json_build_object('kind', current_setting('souk.kind'), 'customerId', current_setting('souk.customer_id'),
	'tokenId', current_setting('souk.token_id'), 'locale', current_setting('souk.locale'),
	'readOnly', current_setting('transaction_read_only')::bool)
