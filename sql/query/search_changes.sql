-- Products changed by transaction $1 or a later one, at most $2, with the transaction; and where to go on next time.
SELECT c.xid::text, c.product_id::text, pg_snapshot_xmin(pg_current_snapshot())::text
  FROM (SELECT 1) one LEFT JOIN LATERAL (SELECT xid, product_id FROM shop.search_changes
	WHERE xid >= $1::text::xid8 ORDER BY xid, product_id LIMIT $2::integer) c ON true
