-- -> 1
SELECT 1
