-- One batch.
COPY import_row FROM STDIN
