-- What the shop takes for delivery, and codes to try.
INSERT INTO shop.shipping_rates (country, currency, price_minor, free_from_minor, name, names) VALUES
	('FR', 'EUR', 590, 8000, 'Livraison à domicile', '{"en": "Home delivery", "es": "Entrega a domicilio", "de": "Lieferung nach Hause"}'),
	('BE', 'EUR', 890, 15000, 'Livraison à domicile', '{"en": "Home delivery", "es": "Entrega a domicilio", "de": "Lieferung nach Hause"}'),
	('LU', 'EUR', 890, 15000, 'Livraison à domicile', '{"en": "Home delivery", "es": "Entrega a domicilio", "de": "Lieferung nach Hause"}'),
	('DE', 'EUR', 990, 18000, 'Livraison à domicile', '{"en": "Home delivery", "es": "Entrega a domicilio", "de": "Lieferung nach Hause"}'),
	('ES', 'EUR', 1190, 20000, 'Livraison à domicile', '{"en": "Home delivery", "es": "Entrega a domicilio", "de": "Lieferung nach Hause"}'),
	('IT', 'EUR', 1190, 20000, 'Livraison à domicile', '{"en": "Home delivery", "es": "Entrega a domicilio", "de": "Lieferung nach Hause"}'),
	('NL', 'EUR', 990, 18000, 'Livraison à domicile', '{"en": "Home delivery", "es": "Entrega a domicilio", "de": "Lieferung nach Hause"}');

INSERT INTO shop.discounts (code, kind, percent, amount_minor, currency, minimum_minor, customer_limit, combinable, title, titles, category_ids, ends_at) VALUES
	('BIENVENUE10', 'percent', 10, NULL, NULL, 0, 1, false, 'Dix pour cent sur la première commande', '{"en": "Ten percent off the first order"}', '{}', NULL),
	('LUMIERE15', 'percent', 15, NULL, NULL, 0, NULL, true, 'Quinze pour cent sur les luminaires', '{"en": "Fifteen percent off lamps"}',
		ARRAY(SELECT id FROM shop.categories WHERE slug = 'luminaires'), NULL),
	('CADEAU20', 'fixed', NULL, 2000, 'EUR', 10000, NULL, false, 'Vingt euros dès cent euros', '{"en": "Twenty euros off from a hundred"}', '{}', NULL),
	('PORTOFFERT', 'free_shipping', NULL, NULL, NULL, 0, NULL, true, 'Livraison offerte', '{"en": "Free delivery"}', '{}', NULL),
	('ETE2025', 'percent', 20, NULL, NULL, 0, NULL, false, 'Soldes d’été', '{"en": "Summer sale"}', '{}', '2025-08-31 22:00:00+00');

INSERT INTO souk.settings (key, value, updated_by) VALUES ('shop.vat_percent', '20', 'demo') ON CONFLICT (key) DO NOTHING;
