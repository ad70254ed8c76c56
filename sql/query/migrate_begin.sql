-- The transaction of one migration, of the files in app/, or of the demo shop.
BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE
