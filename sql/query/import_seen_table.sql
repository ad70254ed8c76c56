-- A dry run remembers what it would have written, so that a SKU that comes twice counts as it would in earnest.
CREATE TEMPORARY TABLE import_seen (
	sku text COLLATE "C" NOT NULL, variant boolean NOT NULL, parent text, digest text NOT NULL, PRIMARY KEY (variant, sku))
