-- Names that only have to be found, not sorted for people, are compared byte by byte: look-ups and bulk imports spend a good part of
-- their time comparing them, and the rules of a language cost three times as much.
ALTER TABLE shop.products ALTER sku TYPE text COLLATE "C", ALTER slug TYPE text COLLATE "C";
ALTER TABLE shop.product_variants ALTER sku TYPE text COLLATE "C";
ALTER TABLE shop.categories ALTER slug TYPE text COLLATE "C";
ALTER TABLE shop.orders ALTER number TYPE text COLLATE "C";
ALTER TABLE shop.customers ALTER reference TYPE text COLLATE "C";
