-- Fetch. $1 JSON object: ids (strings), locale (the speaker's unless given) -> JSON array of product cards in that order; ids without an
-- active product are left out.
SELECT shop.cards(ARRAY(SELECT jsonb_array_elements_text($1::jsonb->'ids')::bigint), souk.locale($1::jsonb->>'locale'))
