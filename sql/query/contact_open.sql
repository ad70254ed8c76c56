-- Somebody who has shown nothing writes. $1 ticket or escalation, $2 arguments, $3 challenge, $4 hash of the code in hexadecimal, $5 code.
SELECT shop.contact_open($1::text, $2::jsonb, $3::text, $4::text, $5::text)
