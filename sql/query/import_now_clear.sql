-- Before each step.
TRUNCATE import_now
