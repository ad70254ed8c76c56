-- -> is a large import under way?
SELECT EXISTS (SELECT FROM pg_locks l
 WHERE l.locktype = 'advisory' AND l.classid = hashtext('souk.import')::oid AND l.objid = 1 AND l.objsubid = 2 AND l.granted
   AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()))
