-- Some lines.
COPY import_line FROM STDIN
