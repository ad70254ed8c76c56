-- What a row of the outbox asks of Stripe. $1 the row's data. -> {path, params, key}, NULL: nothing any more.
SELECT shop.stripe_task($1::jsonb)
