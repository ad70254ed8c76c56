-- The reverse of changes_listen.
UNLISTEN souk_changes
