-- The provider says that the recipient of row $1 wants no more: remember it.
INSERT INTO souk.opt_outs (channel, recipient, source)
SELECT channel, recipient, 'provider' FROM souk.outbox WHERE id = $1::bigint AND recipient IS NOT NULL AND channel IN ('email', 'sms', 'whatsapp')
ON CONFLICT DO NOTHING RETURNING channel
