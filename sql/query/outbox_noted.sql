-- Is the provider's message $2 noted for another row than $1, to the same recipient?
SELECT EXISTS (SELECT FROM souk.outbox t JOIN souk.outbox o ON o.channel = t.channel AND o.recipient = t.recipient AND o.id <> t.id
	WHERE t.id = $1::bigint AND split_part(o.provider_id, ' ', 1) = $2)
