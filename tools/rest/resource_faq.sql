-- $1 {category, cursor, locale}, $2 the speaker's language
SELECT shop.faqs_json($1::jsonb->>'category', souk.locale($1::jsonb->>'locale', $2), souk.cursor_offset($1::jsonb->>'cursor'), 100)
WHERE $1::jsonb->>'category' IS NULL OR $1::jsonb->>'category' IN ('shipping', 'returns', 'payment', 'products', 'account')
