-- -> one JSON object of all settings.
SELECT coalesce(json_object_agg(key, value), '{}') FROM souk.settings
