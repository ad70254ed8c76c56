-- Products that the search has found, as staff see them. $1 JSON object: ids (strings), locale -> JSON array in that order.
SELECT shop.admin_cards(ARRAY(SELECT jsonb_array_elements_text($1::jsonb->'ids')::bigint), souk.locale($1::jsonb->>'locale'))
