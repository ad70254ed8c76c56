-- Two new products of one batch may have the same name.
CREATE INDEX ON import_plan (slug)
