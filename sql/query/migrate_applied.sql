-- -> version, name, checksum, time: what has been applied, in order.
SELECT version, name, checksum, to_char(applied_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
  FROM souk.migrations ORDER BY version
