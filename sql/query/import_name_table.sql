-- Other names of products in this file ("id:44"), for variants that use them.
CREATE TEMPORARY TABLE import_name (reference text COLLATE "C" PRIMARY KEY, sku text NOT NULL)
