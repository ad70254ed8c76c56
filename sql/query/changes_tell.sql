-- $1: "tools", "prompts", "resources", or the URI of a resource.
SELECT pg_notify('souk_changes', $1)
