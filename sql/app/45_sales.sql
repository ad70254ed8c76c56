-- Orders as sales: page, limit, from, to, status. Totals are exact; row-level security decides what is counted.
CREATE OR REPLACE FUNCTION shop.sales(args jsonb) RETURNS json
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	since timestamptz := souk.time_arg(args->>'from', 'from', false);
	until timestamptz := souk.time_arg(args->>'to', 'to', true);
	size integer := (args->>'limit')::integer;
	page integer := (args->>'page')::integer;
	conditions text := concat_ws(' AND ',
		CASE WHEN args->>'status' IS NULL THEN 'status <> ''CANCELLED''' ELSE 'status = $1' END,
		CASE WHEN since IS NOT NULL THEN 'created_at >= $2' END,
		CASE WHEN until IS NOT NULL THEN 'created_at < $3' END);
	sales json;
	total bigint;
BEGIN
	IF since > until THEN
		PERFORM souk.fail('SK400', 'from: must not be after to');
	END IF;
	EXECUTE 'SELECT count(*) FROM shop.orders WHERE ' || conditions INTO total USING args->>'status', since, until;
	EXECUTE 'SELECT coalesce(json_agg(json_build_object(''id'', o.id::text, ''number'', o.number, ''charge_code'', coalesce(o.charge_code, ''''), '
		'''total'', souk.money(o.total_minor, o.currency), ''currency'', o.currency, ''items'', o.item_count, ''status'', o.status, '
		'''timestamp'', souk.rfc3339(o.created_at)) ORDER BY o.created_at DESC, o.id DESC), ''[]'') '
		'FROM (SELECT * FROM shop.orders WHERE ' || conditions || ' ORDER BY created_at DESC, id DESC OFFSET $4 LIMIT $5) o'
		INTO sales USING args->>'status', since, until, (page - 1)::bigint * size, size;
	RETURN json_strip_nulls(json_build_object('sales', sales,
		'pagination', json_build_object('total', total, 'page', page, 'limit', size)));
END
$$;
