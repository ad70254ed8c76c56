-- $1 {value}
SELECT json_build_object('values', coalesce(json_agg(name ORDER BY place), '[]'), 'total', count(*), 'hasMore', false)
FROM unnest('{shipping,returns,payment,products,account}'::text[]) WITH ORDINALITY AS v(name, place)
WHERE starts_with(name, lower($1::jsonb->>'value'))
