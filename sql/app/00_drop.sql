-- The other files of this folder make every function, policy and trigger again; so whatever an older version had under another
-- signature or name goes first. Functions of migrations (named here) and of extensions stay. All of app/ is one transaction: nobody
-- sees the gap.
DO $$
DECLARE
	f regprocedure;
BEGIN
	FOR f IN
		SELECT p.oid::regprocedure
		  FROM pg_proc p
		 WHERE p.pronamespace IN ('shop'::regnamespace, 'souk'::regnamespace)
		   AND p.oid <> ALL (ARRAY['souk.fold(text)', 'souk.slug(text)', 'souk.notify_change()', 'souk.refuse_change()']::regprocedure[])
		   AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
	LOOP
		IF to_regprocedure(f::text) IS NOT NULL THEN
			EXECUTE format('DROP FUNCTION %s CASCADE', f);
		END IF;
	END LOOP;
END
$$;
