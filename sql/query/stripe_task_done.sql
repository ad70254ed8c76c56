-- Take down Stripe's answer to it. $1 the row's data, $2 HTTP status, $3 the answer. -> done or failed.
SELECT shop.stripe_task_done($1::jsonb, $2::integer, $3::jsonb)
