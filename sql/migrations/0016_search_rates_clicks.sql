-- How many units of a currency one unit of the shop's currency is, for price filters in another currency (souk rates). Nothing is sold by these.
CREATE TABLE shop.currency_rates (
	currency text PRIMARY KEY CHECK (currency ~ '^[A-Z]{3}$'),
	rate numeric(18, 8) NOT NULL CHECK (rate > 0 AND rate <= 1000000000),
	updated_at timestamptz NOT NULL DEFAULT now()
);

-- What visitors open among the products that a search gave. search_id is the correlation id of the search. Nothing is ranked by it.
CREATE TABLE souk.search_clicks (
	search_id text NOT NULL CHECK (length(search_id) BETWEEN 8 AND 64),
	product_id bigint NOT NULL,
	place integer NOT NULL CHECK (place BETWEEN 1 AND 10000),
	created_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (search_id, product_id)
);
CREATE INDEX search_clicks_created ON souk.search_clicks (created_at);
ALTER TABLE souk.search_clicks ENABLE ROW LEVEL SECURITY;
ALTER TABLE souk.search_clicks FORCE ROW LEVEL SECURITY;
