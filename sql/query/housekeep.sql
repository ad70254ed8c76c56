-- Expired rows away, partitions ahead. As the owner. -> JSON counts.
SELECT souk.housekeep()
