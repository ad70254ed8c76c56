-- Into the inbox. $1 provider, $2 the event. -> whether it is new.
SELECT shop.payment_event_add($1::text, $2::jsonb)
