-- Who wants no messages; the newest first.
SELECT channel, recipient, source, souk.rfc3339(created_at) AS "since" FROM souk.opt_outs ORDER BY created_at DESC, channel, recipient LIMIT 1000
