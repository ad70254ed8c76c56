-- What is to happen to each row of import_row: c create, u update, s leave as it is, x refused (reason), o wait for its product.
CREATE TEMPORARY TABLE import_plan (
	n integer NOT NULL, id bigint, product_id bigint, action "char" NOT NULL, reason text, slug text COLLATE "C")
