-- Orders are written some thousand at a time.
ALTER TABLE import_order ADD PRIMARY KEY (b)
