-- Texts in another language than the product's own are translations of it. Bits: name 2, colour 6, description 8, lang 3.
UPDATE import_row s
   SET has = (s.has & ~((1 << 2) | (1 << 6) | (1 << 8) | (1 << 3)))
		| CASE WHEN s.has & (1 << 2) <> 0 THEN 1 << 17 ELSE 0 END
		| CASE WHEN s.has & (1 << 6) <> 0 THEN 1 << 18 ELSE 0 END
		| CASE WHEN s.has & (1 << 8) <> 0 THEN 1 << 19 ELSE 0 END,
	names = CASE WHEN s.has & (1 << 2) <> 0 THEN coalesce(s.names, '{}') || jsonb_build_object(s.lang, s.name) ELSE s.names END,
	colours = CASE WHEN s.has & (1 << 6) <> 0 THEN coalesce(s.colours, '{}') || jsonb_build_object(s.lang, s.colour) ELSE s.colours END,
	descriptions = CASE WHEN s.has & (1 << 8) <> 0
		THEN coalesce(s.descriptions, '{}') || jsonb_build_object(s.lang, s.description) ELSE s.descriptions END
  FROM shop.products p
 WHERE p.sku = s.sku AND NOT s.variant AND s.has & (1 << 3) <> 0 AND p.lang <> s.lang
