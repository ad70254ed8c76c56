-- The files behind this one create every function again. CREATE OR REPLACE alone could not: it refuses a renamed parameter or another
-- result, and what a newer version no longer has would stay. Functions on which triggers, policies or indexes rest are kept
-- and replaced in place. Functions that a migration makes, because tables need them, are not made again and stay: name them here.
DO $$
DECLARE
	f record;
BEGIN
	FOR f IN SELECT p.oid::regprocedure AS name
		FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
		WHERE n.nspname IN ('shop', 'souk') AND p.prokind = 'f'
			AND p.proname NOT IN ('fold', 'slug', 'notify_change', 'refuse_change')
			AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
	LOOP
		BEGIN
			EXECUTE format('DROP FUNCTION %s', f.name);
		EXCEPTION WHEN dependent_objects_still_exist THEN
			NULL;
		END;
	END LOOP;
END
$$;
