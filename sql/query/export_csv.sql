-- See export_products_view.sql and export_orders_view.sql.
COPY (SELECT * FROM export_rows) TO STDOUT WITH (FORMAT csv, HEADER)
