-- Which products changed since the search index was built. A row is known by the transaction that wrote it: numbers from a sequence would
-- become visible out of order. Readers take everything from the oldest transaction that was open when they read last.
CREATE TABLE shop.search_changes (
	xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
	product_id bigint NOT NULL,
	PRIMARY KEY (xid, product_id)
);
