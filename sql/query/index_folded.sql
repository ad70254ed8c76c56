-- Forget changes from before transaction $1: every index in use has them.
DELETE FROM shop.search_changes WHERE xid < $1::text::xid8
