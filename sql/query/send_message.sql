-- $1 email, sms or whatsapp; $2 the tool's arguments; $3 messages per $4 seconds to one recipient, 0 for no limit -> {success, messageId, channel, status}.
SELECT souk.send_message($1, $2::jsonb, $3::bigint, $4::bigint)
