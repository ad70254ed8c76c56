-- $1 URL, $2 events separated by commas, $3 description, $4 salt (hex) -> id.
INSERT INTO souk.webhook_endpoints (url, events, description, salt)
SELECT $1, e, $3, decode($4, 'hex') FROM (SELECT array_agg(DISTINCT btrim(x)) AS e FROM unnest(string_to_array($2, ',')) x WHERE btrim(x) <> '') s
WHERE e <@ (souk.event_names() || '*'::text) AND e IS NOT NULL
RETURNING id
