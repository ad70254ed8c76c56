-- Which texts are the owner's.
SELECT name, string_agg(locale || ' ' || part, ', ' ORDER BY locale, part) AS "own" FROM souk.templates GROUP BY name ORDER BY name
